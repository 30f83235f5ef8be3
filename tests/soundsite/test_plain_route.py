"""The route of README.md for those who bring their own servers; nothing is installed again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from benchmarks.site import wait_until
from benchmarks.visitor import Visitor
from soundsite.embedded import ports
from tests.soundsite.conftest import OtherDatabase

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.live


def test_migrate_createsuperuser_runserver_worker_and_beat_make_a_site(
    other_database: OtherDatabase, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": other_database.administrator_url,
        # Another of the broker's sixteen databases than other tests use.
        "REDIS_URL": os.environ["REDIS_URL"].rpartition("/")[0] + "/11",
        "SECRET_KEY": "of this test",
        "SOUNDSITE_DATA": str(tmp_path),
        "DJANGO_SUPERUSER_PASSWORD": "an-administrators-pass-1",
    }
    port, celery = ports.free(), ("-m", "celery", "-A", "soundsite")
    _manage(environment, "migrate")
    _manage(environment, "createsuperuser", "--noinput", "--username=ada", "--email=a@example.org")
    with ExitStack() as stack:
        for name, line in {
            "web": ("manage.py", "runserver", str(port), "--noreload"),
            "worker": (*celery, "worker", "-Q", "match,index,maintenance"),
            "beat": (*celery, "beat"),
        }.items():
            stack.enter_context(_started(environment, tmp_path / name, line))
        wait_until(lambda: _healthy(port), seconds=60)
        administrator = Visitor(f"http://127.0.0.1:{port}")
        assert administrator.sign_in("ada", "an-administrators-pass-1", "/admin/") == "/admin/"
        # The worker does what beat sends: both have found the broker and the database.
        done = re.compile(r"Task matcher\.tasks\.sweep_uploads\[\S+\] succeeded")
        wait_until(lambda: done.search((tmp_path / "worker").read_text()), seconds=60)


def _manage(environment: dict[str, str], *arguments: str) -> None:
    line = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@contextmanager
def _started(environment: dict[str, str], log: Path, line: tuple[str, ...]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *line], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
