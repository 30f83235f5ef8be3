"""The environment of a peer: made once, from pinned requirements, in the user's cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ml.errors import SoundError

COMPLETE = "complete"  # a file that stands in an environment that is not half made


def python_of(requirements: Path, folder: Path) -> Path:
    """The interpreter of an environment with exactly these packages; made where there is none.

    Args:
        requirements: lists every package with its hashes: nothing else is installed.
        folder: of all environments. Other requirements make another one beside this.

    Raises:
        SoundError: `peer-environment`, it could not be made; see the lines of uv or pip.
    """
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    home = folder / f"{requirements.stem.removeprefix('requirements-')}-{digest}"
    python = home / "bin" / "python"
    with _alone(folder):
        if not (home / COMPLETE).exists():
            _make(requirements, home, python)
            (home / COMPLETE).touch()
    return python


def _make(requirements: Path, home: Path, python: Path) -> None:
    print(f"Making the environment for {requirements.name}, once", file=sys.stderr)
    chosen = ["--no-deps", "--require-hashes", "-r", str(requirements)]
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--clear", "--python", sys.executable, str(home)])
        _run([uv, "pip", "install", "--python", str(python), *chosen])
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _run([str(python), "-m", "pip", "--disable-pip-version-check", "install", *chosen])


def _run(command: Sequence[str]) -> None:
    """Its words go to the error stream: the output belongs to the tables."""
    environment = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true", **os.environ}
    done = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SoundError("peer-environment", f"{Path(command[0]).name} could not make it")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two commands started at once do not install into each other."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
