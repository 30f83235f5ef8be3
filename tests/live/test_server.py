"""script/server and script/manage, as a person or an operator meets them."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from benchmarks.processes import family, identities, line_of, parents, programs
from benchmarks.site import Site, running, scratch_folder, start, stop, wait_until
from benchmarks.visitor import Visitor

pytestmark = [pytest.mark.live]


def test_ready_names_the_address_and_both_sign_ins(site: Site) -> None:
    said = site.said()
    assert re.search(rf"^Ready: {re.escape(site.url)}$", said, re.MULTILINE)
    for word in (site.user, site.password, site.admin_user, site.admin_password):
        assert word in said


@pytest.mark.parametrize("name", ["ready.json", "secrets.json", "running.json", "accounts.json"])
def test_files_with_passwords_are_for_their_owner_only(site: Site, name: str) -> None:
    assert stat.S_IMODE((site.folder / name).stat().st_mode) == 0o600


def test_passwords_do_not_show_in_the_list_of_processes(site: Site) -> None:
    secrets = (site.folder / "secrets.json").read_text()
    words = re.findall(r'": "([^"]+)"', secrets)
    assert len(words) >= 4
    for line in map(line_of, parents()):
        assert not any(word in line for word in words)


def test_the_demo_user_signs_in_and_the_administrator_sees_the_administration(site: Site) -> None:
    assert Visitor(site.url).sign_in(site.user, site.password) == "/uploads/new/"
    administrator = Visitor(site.url)
    assert administrator.sign_in(site.admin_user, site.admin_password, "/admin/") == "/admin/"


def test_manage_joins_the_servers_of_a_running_site(site: Site) -> None:
    done = site.manage("shell", "--no-imports", "-c", _PRINT_USERS)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= {site.user, site.admin_user}


def test_a_second_start_on_the_same_data_is_refused_with_a_sentence(site: Site) -> None:
    with pytest.raises(AssertionError, match=r"is in use by script/server \(process \d+\)"):
        start(site.folder)
    assert _healthy(site)


def test_a_killed_database_broker_worker_and_web_server_come_back(site: Site) -> None:
    before = programs(site.process.pid)
    assert len(before) == len(set(before.values())) == 8
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(programs(site.process.pid).keys() - before.keys()) == 8, seconds=60)
    wait_until(lambda: _healthy(site), seconds=120, every=0.5)


def test_while_the_database_is_away_people_and_programs_are_told_and_later_all_goes_on(
    site: Site,
) -> None:
    visitor, before = site.visitor(), _pids(site, but="postgres")
    with site.stopped("postgres"):
        page = _refused(f"{site.url}/catalogue/")
        assert (page.code, page.headers["Retry-After"]) == (503, "15")
        assert "Our database is away for a moment" in page.read().decode()
        problem = _refused(f"{site.url}/api/v1/tracks")
        assert (problem.code, problem.headers["Retry-After"]) == (503, "15")
        assert json.load(problem)["code"] == "database-away"
        assert json.load(_refused(f"{site.url}/readyz"))["database"] == "unreachable"
    wait_until(lambda: _healthy(site), seconds=30)
    assert "My uploads" in visitor.get("/uploads/")
    assert _pids(site, but="postgres") == before, "something had to be started again"


def test_while_the_broker_is_away_uploads_are_taken_and_begin_once_it_is_back(
    site: Site, tmp_path: Path
) -> None:
    words = tmp_path / "song.mp3"
    words.write_text("These are only words. " * 200)
    visitor = site.visitor()
    with site.stopped("valkey"):
        address = visitor.hand_in(words)
        assert visitor.job(address)["state"] == "QUEUED"
    wait_until(lambda: visitor.job(address)["state"] == "FAILED", seconds=90, every=0.5)
    assert visitor.job(address)["error"] == "not-audio"


def test_two_sites_run_side_by_side_and_a_killed_one_leaves_nothing_behind(site: Site) -> None:
    with scratch_folder() as folder, running(folder, "--no-demo") as other:
        assert other.url != site.url
        assert _healthy(other)
        assert _healthy(site)
        kin = family(other.process.pid)
        assert len(kin) > len(programs(other.process.pid))
        other.process.kill()
        other.process.wait()
        wait_until(lambda: not kin & identities(), seconds=10)


def test_a_second_start_keeps_its_passwords_and_a_stop_takes_less_than_ten_seconds() -> None:
    with scratch_folder() as folder:
        with running(folder, "--no-demo") as first:
            pass
        assert not (folder / "ready.json").exists()
        with running(folder, "--no-demo") as again:
            assert again.password == first.password
            kin = family(again.process.pid)
            assert stop(again.process, seconds=10) == 0
            assert not kin & identities()


_PRINT_USERS = (
    "from django.contrib.auth.models import User; "
    "print(*User.objects.values_list('username', flat=True))"
)


def _pids(site: Site, *, but: str) -> set[int]:
    return {pid for pid, line in programs(site.process.pid).items() if but not in line}


def _refused(address: str) -> HTTPError:
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(address, timeout=30)
    return refused.value


def _healthy(site: Site) -> bool:
    try:
        with urllib.request.urlopen(f"{site.url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
