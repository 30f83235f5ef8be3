"""The file itself: parts in a tar, vouched for by the manifest that ends it."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from soundsite.backup.errors import BackupError

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Version:
    """A model version's artefact: in the backup, bundled with the release, or nowhere."""

    pk: int
    name: str
    sha256: str
    home: str  # "archive", "bundled" or ""
    has_index: bool


@dataclass(frozen=True)
class Manifest:
    """What the backup holds and where it comes from."""

    made_at: str
    soundsite: str
    postgresql: str
    pgvector: str
    migrations: list[str]
    rows: dict[str, int]
    versions: list[Version]
    missing: list[str]
    parts: dict[str, str]

    def count(self, folder: str) -> int:
        """How many parts lie in that folder of the tar."""
        return sum(name.startswith(f"{folder}/") for name in self.parts)


class _Hashed:
    """Passes on what is read and digests it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.sha256 = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self.sha256.update(block)
        return block


class Writer:
    """Writes parts one after the other; the stream need not be seekable."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.TarFile.open(  # `close` ends it
            fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT
        )
        self.parts: dict[str, str] = {}

    def add(self, name: str, content: IO[bytes], size: int) -> None:
        hashed = _Hashed(content)
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(time.time())
        self._tar.addfile(info, hashed)
        self.parts[name] = hashed.sha256.hexdigest()

    def close(self, manifest: Manifest) -> None:
        """Ends the file: without its manifest it is no backup."""
        text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()
        self.add(MANIFEST, BytesIO(text), len(text))
        seal = self.parts[MANIFEST].encode()
        self.add(SEAL, BytesIO(seal), len(seal))
        self._tar.close()


class Archive:
    """A backup that is read; every part has been checked once it is open."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {member.name: member for member in tar.getmembers() if member.isreg()}
        self.manifest = self._manifest()
        self._verify()

    def _manifest(self) -> Manifest:
        if MANIFEST not in self._members or SEAL not in self._members:
            ours = any(name.startswith("database/") for name in self._members)
            raise BackupError("backup-damaged" if ours else "backup-foreign", "it has no manifest")
        text = self.open(MANIFEST).read()
        if hashlib.sha256(text).hexdigest().encode() != self.open(SEAL).read():
            raise BackupError("backup-damaged", MANIFEST)
        return _read(json.loads(text))

    def _verify(self) -> None:
        if set(self._members) != {*self.manifest.parts, MANIFEST, SEAL}:
            raise BackupError("backup-damaged", "parts are missing or foreign")
        for name, expected in self.manifest.parts.items():
            if digest(self.open(name)) != expected:
                raise BackupError("backup-damaged", name)

    def open(self, name: str) -> IO[bytes]:
        stream = self._tar.extractfile(self._members[name])
        assert stream is not None  # only regular files are members
        return stream

    def names(self, folder: str) -> list[str]:
        """The parts of a folder of the tar."""
        return [name for name in self.manifest.parts if name.startswith(f"{folder}/")]


def _read(found: dict[str, Any]) -> Manifest:
    """The manifest of a JSON object. A newer format is not looked into."""
    number = found.pop("format")
    if number > FORMAT:
        raise BackupError("backup-newer", f"format {number}; this release reads {FORMAT}")
    versions = [Version(**version) for version in found.pop("versions")]
    return Manifest(versions=versions, **found)


def digest(stream: IO[bytes]) -> str:
    """The sha-256 of what is left of the stream, in hex."""
    hashed = hashlib.sha256()
    while block := stream.read(_BLOCK):
        hashed.update(block)
    return hashed.hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The backup in that file, every part of it checked.

    Raises:
        BackupError: `backup-unreadable`, `-foreign`, `-damaged` or `-newer`.
    """
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115  # entered below
    except tarfile.TarError as error:
        raise BackupError("backup-foreign", path.name) from error
    except OSError as error:
        raise BackupError("backup-unreadable", f"{path}: {error.strerror}") from error
    with tar:
        try:
            archive = Archive(tar)
        except (tarfile.TarError, OSError) as error:
            raise BackupError("backup-damaged", str(error)) from error
        yield archive
