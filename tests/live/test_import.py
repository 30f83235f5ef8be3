"""An import whose worker is killed in the middle goes on by itself and imports each file once."""

from __future__ import annotations

import io
import os
import signal
import zipfile

import pytest

from benchmarks.processes import line_of, programs
from benchmarks.site import Site, wait_until
from benchmarks.visitor import Visitor
from tests.tracks.conftest import song

pytestmark = [pytest.mark.live]

FILES = 40
SAYS = (
    "from tracks.models import Job; job = Job.objects.latest('pk'); "
    "print(job.state, *sorted(job.items.values_list('state', flat=True)))"
)


def test_an_import_whose_worker_is_killed_in_the_middle_is_finished_and_does_nothing_twice(
    site: Site,
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(FILES):
            archive.writestr(f"Live import/Part {number}.flac", song(1000 + number))
    packed.name = "live.zip"
    packed.seek(0)
    administrator = Visitor(site.url)
    administrator.sign_in(site.admin_user, site.admin_password, "/admin/")
    page = administrator.send("/admin/tracks/job/import/", {"archive": packed, "renew": "on"})
    wait_until(lambda: "Do it" in administrator.get(page), 60)
    administrator.send(page.replace("change/", "go/order/"), {}, form=page)
    wait_until(lambda: "?state=CREATED" in administrator.get(page), 60)
    (worker,) = (pid for pid in programs(site.process.pid) if "-Q index" in line_of(pid))
    os.kill(worker, signal.SIGKILL)
    finished = f"Finished: {FILES} of {FILES}"
    wait_until(lambda: finished in administrator.get(page), 120, every=0.5)
    said = site.manage("shell", "--no-imports", "-c", SAYS)
    assert said.stdout.split() == ["FINISHED", *["CREATED"] * FILES], said.stderr
