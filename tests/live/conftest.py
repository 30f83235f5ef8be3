"""The site as script/server runs it: real web, broker and workers, on data of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 180.0


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
        return subprocess.run(
            [str(ROOT / "script" / "manage"), *arguments],
            env=_environment(self.folder),
            capture_output=True,
            text=True,
            check=False,
        )

    def said(self) -> str:
        return _said(self.folder)


def _environment(folder: Path) -> dict[str, str]:
    """Without servers and secrets of the person who runs the tests."""
    ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MEDIA_ROOT", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "SOUNDSITE_DATA": str(folder)}


def _said(folder: Path) -> str:
    return (folder.parent / "terminal").read_text()


def start(folder: Path, *options: str) -> Site:
    """Starts the site on the data folder and waits for its ready.json."""
    (folder / "ready.json").unlink(missing_ok=True)
    with (folder.parent / "terminal").open("wb") as terminal:
        process = subprocess.Popen(
            [str(ROOT / "script" / "server"), "--port", "0", "--data", str(folder), *options],
            env=_environment(folder),
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


def stop(process: subprocess.Popen[bytes], seconds: float = 12) -> int:
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
    yield folder
    if (home := folder / "postgres").is_symlink():
        shutil.rmtree(home.resolve())
    shutil.rmtree(parent)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """One site without the demo catalogue for all live tests."""
    with scratch_folder() as folder, running(folder, "--no-demo") as started:
        yield started
