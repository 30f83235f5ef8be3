"""The environment `.venv` with the pinned packages; made by the Python that is there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soundsite.embedded.errors import StartError

PINNED = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"  # holds everything of PINNED at the same versions


def ensure(root: Path, *, development: bool) -> Path:
    """The environment's Python, after whatever was missing has been installed.

    Nothing is run when the requirements are those of the last time. Raises StartError.
    """
    python = root / ".venv" / "bin" / "python"
    stamp = root / ".venv" / "installed.json"
    wanted = DEVELOPMENT if development else PINNED
    digest = _digest(root, wanted)
    with _alone(root):
        if python.exists() and _installed(stamp).get(wanted) == digest:
            return python
        _make(root, python)
        say(f"Installing the Python packages of {wanted} (about a minute the first time)")
        _install(root, python, wanted)
        names = (PINNED, DEVELOPMENT) if development else (PINNED,)
        stamp.write_text(json.dumps({name: _digest(root, name) for name in names}))
    return python


def say(sentence: str) -> None:
    print(f"==> {sentence}", file=sys.stderr, flush=True)


def _digest(root: Path, name: str) -> str:
    return hashlib.sha256((root / name).read_bytes()).hexdigest()


def _installed(stamp: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return found


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Two scripts started at once do not install into each other."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make(root: Path, python: Path) -> None:
    """An environment with pip in it; one whose Python is gone is made anew."""
    if python.exists() and _run([str(python), "-m", "pip", "--version"], quiet=True) == 0:
        return
    say("Making the environment .venv")
    anew = [] if python.exists() else ["--clear"]
    if _run([sys.executable, "-m", "venv", *anew, str(root / ".venv")]) != 0:
        raise StartError(
            "Python could not make a virtual environment; on Debian and Ubuntu the package "
            "python3-venv is missing then (apt-get install python3-venv)."
        )


def _install(root: Path, python: Path, wanted: str) -> None:
    """By uv, which pip fetches; by pip itself where uv cannot be had."""
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes"]
    chosen = ["--require-hashes", "-r", str(root / wanted)]
    if _run([*pip, "--quiet", "-r", str(root / "requirements-uv.txt")]) == 0:
        uv = [str(python), "-m", "uv", "pip", "install", "--python", str(python)]
        if _run([*uv, *chosen]) == 0:
            return
    say("uv could not install them; trying pip, which takes longer")
    if _run([*pip, "-r", str(root / wanted)]) != 0:
        raise StartError(f"The packages of {wanted} could not be installed; see the lines above.")


def _run(command: list[str], *, quiet: bool = False) -> int:
    """Its exit status. It speaks on the error stream: the output belongs to the asked command."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    # The Python that is running is the one to use; uv would fetch another.
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    # Trust what the machine trusts, as pip does: some networks have an authority of their own.
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    output = subprocess.DEVNULL if quiet else sys.stderr
    return subprocess.run(command, env=environment, stdout=output, stderr=output).returncode
