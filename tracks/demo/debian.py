"""Fetches a Debian package without root and finds the songs in it.

The machine's own package lists are tried as they are. Where they are missing or stale, fresh ones
are fetched into a state folder of ours, so that nothing of the machine's is changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tracks.demo.listing import Package, Song

UPDATE_SECONDS = 180
DOWNLOAD_SECONDS = 1800
UNPACK_SECONDS = 120
_POLL_SECONDS = 0.5
_LARGEST_MEMBER = 64 * 1024 * 1024  # of an archive within the package
_DEBIAN_STATUS = "/var/lib/dpkg/status"


class UnavailableError(Exception):
    """Packages cannot be had here; the message says why in a few words."""


def songs_of(
    package: Package, work: Path, on_bytes: Callable[[int], None]
) -> Iterator[tuple[Song, bytes]]:
    """Downloads and unpacks the package, yields the songs found in it, and deletes it again.

    Args:
        package: of the listing.
        work: a folder for apt's state and for what is unpacked.
        on_bytes: told how many bytes are downloaded, every half second.

    Raises:
        UnavailableError: no apt, no network, or no such package.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise UnavailableError(f"there is no {program} on this machine")
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work, prefix="package-") as name:
        folder = Path(name)
        archive = _downloaded(package, work / "apt", folder, on_bytes)
        _run(["dpkg-deb", "-x", str(archive), "unpacked"], folder, UNPACK_SECONDS)
        archive.unlink()
        yield from found_songs(folder / "unpacked", package.songs)


def found_songs(folder: Path, songs: tuple[Song, ...]) -> Iterator[tuple[Song, bytes]]:
    """The songs whose bytes lie anywhere in the folder, or in a zip archive in it, each once."""
    wanted = {song.md5: song for song in songs}
    for content in _contents(folder):
        song = wanted.pop(hashlib.md5(content, usedforsecurity=False).hexdigest(), None)
        if song is not None:
            yield song, content
        if not wanted:
            return


def _contents(folder: Path) -> Iterator[bytes]:
    """The bytes of every file, and of every member of the archives (.love, .pk3) among them."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        yield path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if member.file_size <= _LARGEST_MEMBER:
                        yield archive.read(member)


def _downloaded(
    package: Package, state: Path, folder: Path, on_bytes: Callable[[int], None]
) -> Path:
    """The package's file, by lists of ours if there are any, else by the machine's."""

    def download() -> None:
        command = ["apt-get", *_apt_options(state), "-q", "download", package.name]
        _run(command, folder, DOWNLOAD_SECONDS, lambda: on_bytes(_size(folder)))

    try:
        download()
    except UnavailableError:
        _refresh(state)
        download()
    archives = list(folder.glob("*.deb"))
    if not archives:
        raise UnavailableError(f"apt-get left no file of {package.name}")
    return archives[0]


def _refresh(state: Path) -> None:
    """Fetches fresh package lists into a state folder of ours; a failure leaves none."""
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    try:
        _run(["apt-get", *_apt_options(state), "-q", "update"], state, UPDATE_SECONDS)
    except UnavailableError:
        shutil.rmtree(state)
        raise


def _apt_options(state: Path) -> list[str]:
    """Lists of ours where the folder exists; caches in memory; short tempers with dead mirrors."""
    options = {
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",  # the folder may be closed to apt's own user
        "APT::Update::Error-Mode": "any",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
    }
    if state.exists():
        options |= {"Dir::State": str(state), "Dir::State::status": _DEBIAN_STATUS}
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def _run(
    command: list[str], folder: Path, seconds: float, poll: Callable[[], None] = lambda: None
) -> None:
    """Runs a command in a folder to its end, however slow, but no longer than `seconds`."""
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            _dying_with_us(command),
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while not _ended(process):
                poll()
                if time.monotonic() > deadline:
                    raise UnavailableError(f"{command[0]} took longer than {seconds:g} s")
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            raise UnavailableError(f"{command[0]} says: {_last_error(output.read())}")


def _dying_with_us(command: list[str]) -> list[str]:
    """A killed fill leaves no download behind, where util-linux can arrange that."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else command


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _last_error(output: str) -> str:
    """The last line of apt's output that is an error, without its mark."""
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line[2:].strip() for line in lines if line.startswith("E:")]
    return (errors or lines or ["nothing"])[-1]


def _size(folder: Path) -> int:
    """Bytes of all files below a folder, which apt may rename meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
