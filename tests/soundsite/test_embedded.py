"""The embedded servers, started as script/manage starts them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
import redis

from benchmarks.site import wait_until
from soundsite.embedded import child, places, ports, postgres, private
from soundsite.embedded.errors import InUse, StartError
from soundsite.onemachine import stores
from soundsite.onemachine.folder import Folder

ROOT = Path(__file__).resolve().parent.parent.parent
SYSTEM_PYTHON = Path("/usr/bin/python3")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")

RUNS_SERVERS = """
import signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from soundsite.onemachine import stores
from soundsite.onemachine.folder import Folder
folder = Folder.make(Path(sys.argv[2]))
with stores.running(folder, durable=False):
    print("running", flush=True)
    signal.pause()
"""


@contextmanager
def _made_folder(mode: int = 0o755) -> Iterator[Folder]:
    """A data folder with a space in its path; what root keeps elsewhere for it goes too."""
    # Not in pytest's own folder: that is closed to other users, which is another test's matter.
    parent = Path(tempfile.mkdtemp(prefix="soundsite test "))
    parent.chmod(mode)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("DATABASE_URL", "REDIS_URL"):
            environment.delenv(name, raising=False)
        made = Folder.make(parent / "data")
        yield made
    home = made.path / "postgres"
    if home.is_symlink():
        shutil.rmtree(home.resolve())
    shutil.rmtree(parent)


@pytest.fixture
def folder() -> Iterator[Folder]:
    with _made_folder() as made:
        yield made


@pytest.fixture
def closed_folder() -> Iterator[Folder]:
    with _made_folder(0o700) as made:
        yield made


@pytest.fixture(scope="module")
def servers() -> Iterator[stores.Stores]:
    with _made_folder() as made, stores.running(made, durable=False) as started:
        yield started


def _answers(urls: dict[str, str]) -> tuple[float, bool]:
    """A distance of a vector from itself by the database, and whether the broker is there."""
    connection = psycopg2.connect(urls["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        cursor.execute("SELECT '[1,2]'::halfvec <=> '[1,2]'::halfvec")
        row = cursor.fetchone()
    connection.close()
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        there = bool(client.ping())
    return row[0] if row else -1.0, there


def test_the_servers_answer_with_their_passwords(servers: stores.Stores) -> None:
    assert _answers(servers.urls()) == (pytest.approx(0.0), True)


def test_a_wrong_password_is_refused_by_both_servers(servers: stores.Stores) -> None:
    assert servers.postgres
    assert servers.valkey
    wrong = servers.postgres.url.replace(servers.postgres.password, "guess")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(wrong)
    client = redis.Redis.from_url(servers.valkey.url.replace(servers.valkey.password, "guess"))
    with pytest.raises(redis.AuthenticationError):
        client.ping()
    client.close()


def test_the_database_shares_at_most_a_quarter_of_the_memory_and_compiles_no_query(
    servers: stores.Stores,
) -> None:
    connection = psycopg2.connect(servers.urls()["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_size_bytes(current_setting('shared_buffers')), current_setting('jit')"
        )
        shared, jit = cursor.fetchone() or (0, "")
    connection.close()
    assert 0 < shared <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 4
    assert jit == "off"


@as_root
def test_the_database_does_not_run_as_root(servers: stores.Stores) -> None:
    assert servers.postgres
    data = servers.postgres.place.data
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    assert Path(f"/proc/{pid}").owner() == "nobody"


def test_a_killed_owner_leaves_no_server_behind_and_loses_nothing(folder: Folder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUNS_SERVERS, str(ROOT), str(folder.path)], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"running\n"
        try:
            urls = folder.urls()
            assert urls
            _keep(urls, "42")
        finally:
            owner.kill()
    wait_until(lambda: all(ports.is_free(_port(url)) for url in urls.values()), seconds=10)
    with stores.running(folder) as started:
        assert _kept(started.urls()) == ("42", "42")
    assert all(ports.is_free(_port(url)) for url in started.urls().values())


@as_root
def test_root_in_a_closed_folder_keeps_the_database_outside_and_opens_nothing(
    closed_folder: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    with stores.running(closed_folder, durable=False) as started:
        assert _answers(started.urls()) == (pytest.approx(0.0), True)
        assert started.postgres
        place = started.postgres.place
    assert closed_folder.path.parent.stat().st_mode & 0o777 == 0o700
    assert (closed_folder.path / "postgres").resolve() == place.data.parent
    assert place.data.parent.parent == places.OUTSIDE
    assert place.data.owner() == "nobody"
    assert place.data.stat().st_mode & 0o777 == 0o700
    assert place.data.parent.stat().st_mode & 0o777 == 0o755
    assert str(place.data.parent) in " ".join(capfd.readouterr().err.split())


@as_root
def test_a_database_moves_outside_when_its_folder_is_closed_later(folder: Folder) -> None:
    with stores.running(folder, durable=False) as started:
        _keep(started.urls(), "42")
    folder.path.parent.chmod(0o700)
    with stores.running(folder, durable=False) as started:
        assert _kept(started.urls()) == ("42", "42")


def test_a_database_of_a_later_postgresql_is_refused_with_what_to_do(folder: Folder) -> None:
    made = stores.prepare(folder).postgres
    assert made
    (made.place.data / "PG_VERSION").write_text("99\n")
    with pytest.raises(StartError, match="made by PostgreSQL 99"):
        stores.prepare(folder)


def test_passwords_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = private.passwords(path, ["postgres", "valkey"])
    assert first == private.passwords(path, ["postgres", "valkey"])
    assert first["postgres"] != first["valkey"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    added = private.passwords(path, ["postgres", "another"])
    assert added["postgres"] == first["postgres"]


def test_a_folder_in_use_is_refused_with_the_name_of_who_has_it(folder: Folder) -> None:
    with (
        folder.taken("script/server (process 1)"),
        pytest.raises(InUse, match=r"in use by script/server \(process 1\)"),
        folder.taken("script/manage"),
    ):
        pass


def test_a_command_ends_when_its_owner_does() -> None:
    program = (
        "import os, signal, subprocess\n"
        "from soundsite.embedded import child\n"
        "line = child.command(['sleep', '60'], owner=os.getpid())\n"
        "print(subprocess.Popen(line, stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as owner:
        assert owner.stdout
        try:
            pid = int(owner.stdout.readline())
            wait_until(lambda: b"sleep" in _command_line(pid))
        finally:
            owner.kill()
    wait_until(lambda: b"sleep" not in _command_line(pid))


def test_a_command_whose_owner_is_gone_already_does_not_start(tmp_path: Path) -> None:
    line = child.command(["touch", str(tmp_path / "started")], owner=1 << 22)
    assert subprocess.run(line, check=False).returncode != 0
    assert not (tmp_path / "started").exists()


@as_root
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="nobody has no Python to run")
def test_the_signal_is_asked_for_after_the_change_of_user() -> None:
    """The kernel forgets it when the user changes."""
    program = "import ctypes; n = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); "
    program += "import os; print(os.getuid(), n.value)"
    line = child.command([str(SYSTEM_PYTHON), "-c", program], user="nobody", on_orphan="INT")
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.split() == [str(pwd.getpwnam("nobody").pw_uid), str(int(signal.SIGINT))]


def test_postgres_variables_of_the_person_do_not_reach_our_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    assert "PGPORT" not in postgres.clean_environment()


def _keep(urls: dict[str, str], value: str) -> None:
    connection = psycopg2.connect(urls["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT %s::text AS value", [value])
    connection.close()
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        client.set("kept", value)
        client.waitaof(1, 0, 5000)


def _kept(urls: dict[str, str]) -> tuple[str, str]:
    connection = psycopg2.connect(urls["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM kept")
        row = cursor.fetchone()
    connection.close()
    assert row is not None
    with redis.Redis.from_url(urls["REDIS_URL"], decode_responses=True) as client:
        return row[0], client.get("kept")


def _port(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
