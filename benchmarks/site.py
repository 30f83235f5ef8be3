"""The site as script/server runs it: real web, broker and workers, on data of its own."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from xmlrpc.client import ServerProxy

from benchmarks.processes import line_of, programs
from benchmarks.visitor import Visitor

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 400.0  # on a machine that others share
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MEDIA_ROOT", "DJANGO_SETTINGS_MODULE")


def wait_until(condition: Callable[[], T], seconds: float = 10.0, every: float = 0.05) -> T:
    """Asks `condition` until it is true and gives back what it said.

    Raises AssertionError, with the last answer, when `seconds` have passed.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds:g} s; the last answer was {answer!r}")
        time.sleep(every)
    return answer


@dataclass(frozen=True)
class Site:
    """A running script/server and what it wrote for scripts."""

    process: subprocess.Popen[bytes]
    folder: Path
    url: str
    user: str
    password: str
    admin_user: str
    admin_password: str

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """script/manage on the site's data."""
        return manage(self.folder, *arguments)

    def ask(self, code: str) -> list[str]:
        """The words that Python code prints in the site's Django."""
        return self.manage("shell", "--no-imports", "-c", code).stdout.split()

    def visitor(self) -> Visitor:
        """Somebody signed in as the demo user."""
        return self._signed_in(self.user, self.password)

    def administrator(self) -> Visitor:
        return self._signed_in(self.admin_user, self.admin_password)

    def _signed_in(self, user: str, password: str) -> Visitor:
        visitor = Visitor(self.url)
        visitor.sign_in(user, password)
        return visitor

    def kill_worker(self, queue: str) -> None:
        """SIGKILL to the worker of that queue; supervisord starts another."""
        os.kill(self.worker(queue), signal.SIGKILL)

    @contextmanager
    def held(self, queue: str) -> Iterator[None]:
        """The worker of that queue takes no job for the length of the block."""
        worker = self.worker(queue)
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)

    @contextmanager
    def stopped(self, store: str) -> Iterator[None]:
        """Its `postgres` or `valkey` does not run for the length of the block."""
        text = configparser.ConfigParser(interpolation=None)
        text.read(self.folder / "supervisord.conf")
        server = text["inet_http_server"]
        login = f"{server['username']}:{server['password']}"
        with ServerProxy(f"http://{login}@{server['port']}/RPC2") as proxy:
            proxy.supervisor.stopProcess(f"stores:{store}")
            try:
                yield
            finally:
                proxy.supervisor.startProcess(f"stores:{store}")

    def worker(self, queue: str) -> int:
        wanted = f"-Q {queue} "
        (worker,) = (pid for pid in programs(self.process.pid) if wanted in line_of(pid) + " ")
        return worker

    def said(self) -> str:
        return _said(self.folder)


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """script/manage on the data in that folder."""
    return subprocess.run(
        [str(ROOT / "script" / "manage"), *arguments],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )


def environment(folder: Path) -> dict[str, str]:
    """Without servers and secrets of the person who runs this."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**kept, "SOUNDSITE_DATA": str(folder)}


def _said(folder: Path) -> str:
    return (folder.parent / "terminal").read_text()


def start(folder: Path, *options: str) -> Site:
    """Starts the site on the data folder and waits for its ready.json."""
    (folder / "ready.json").unlink(missing_ok=True)
    with (folder.parent / "terminal").open("wb") as terminal:
        process = subprocess.Popen(
            [str(ROOT / "script" / "server"), "--port", "0", "--data", str(folder), *options],
            env=environment(folder),
            stdout=terminal,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    ready = folder / "ready.json"
    try:
        wait_until(lambda: ready.exists() or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, f"script/server ended:\n{_said(folder)}"
    except BaseException:
        stop(process)
        raise
    return Site(process, folder, **json.loads(ready.read_text()))


def stop(process: subprocess.Popen[Any], seconds: float = 12) -> int:
    """Its exit status after SIGTERM."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Site]:
    """The site for the length of the block; one that ended by itself is fine."""
    started = start(folder, *options)
    try:
        yield started
    finally:
        stop(started.process)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """For a site's data; its path has a space, and what root keeps elsewhere for it goes too."""
    parent = Path(tempfile.mkdtemp(prefix="soundsite live "))
    folder = parent / "data"
    try:
        yield folder
    finally:
        if (home := folder / "postgres").is_symlink():
            shutil.rmtree(home.resolve())
        shutil.rmtree(parent)


@contextmanager
def fresh_site() -> Iterator[Site]:
    """An empty site on data of its own."""
    with scratch_folder() as folder, running(folder, "--no-demo") as site:
        yield site
