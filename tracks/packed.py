"""Zips of music as people send them: names are labels, sizes are counted and never believed."""

from __future__ import annotations

import lzma
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.template.defaultfilters import filesizeformat

from ml.errors import AudioError
from tracks.outage import StoreAwayError
from tracks.tags import readable

# What lies beside music in a folder of music and is none.
OTHER_ENDINGS = {
    *("bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"),
    *("csv", "doc", "docx", "htm", "html", "log", "md", "nfo", "pdf", "rtf", "txt", "url"),
    *("cue", "db", "ini", "json", "m3u", "m3u8", "md5", "pls", "sfv", "xml", "yaml", "yml"),
}
LONGEST_LABEL = 500
_BLOCK = 256 * 1024
_ENCRYPTED = 0x1
# All that zipfile and the decompressors raise on damaged or exotic members.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OSError),
)


@dataclass(frozen=True)
class Member:
    """A file in a zip that may be music: its place in the directory, and its label."""

    place: int
    label: str


def may_be_music(label: str) -> bool:
    """False for hidden files, what macOS packs beside them, and endings of other things."""
    parts = PurePosixPath(label).parts
    if not parts or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return False
    return PurePosixPath(label).suffix[1:].lower() not in OTHER_ENDINGS


def label_of(name: str) -> str:
    """A member's name to show, without drive, root and steps up; never used as a path.

    >>> label_of("C:\\\\..\\\\..\\\\Kit/one.ogg"), label_of("/etc/passwd")
    ('Kit/one.ogg', 'etc/passwd')
    """
    parts = [readable(part) for part in name.replace("\\", "/").split("/")]
    kept = [part for part in parts if part not in ("", ".", "..") and not part.endswith(":")]
    return "/".join(kept)[-LONGEST_LABEL:]


@contextmanager
def opened(stored: str) -> Iterator[zipfile.ZipFile]:
    """A zip of the storage.

    Raises:
        AudioError: `zip-damaged`, or `file-missing`.
    """
    try:
        file = default_storage.open(stored, "rb")
    except FileNotFoundError as error:
        raise AudioError("file-missing", "The stored zip is gone.") from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except StoreAwayError:
            raise
        except _DAMAGED as error:
            raise AudioError("zip-damaged", str(error)) from error
        with archive:
            yield archive


def members(archive: zipfile.ZipFile) -> Iterator[Member]:
    """Those that may be music, in the order of the zip's directory."""
    for place, info in enumerate(archive.infolist()):
        label = label_of(info.filename)
        if not info.is_dir() and may_be_music(label):
            yield Member(place, label)


@contextmanager
def unpacked(archive: zipfile.ZipFile, place: int) -> Iterator[Path]:
    """The member's bytes in a file of our own, gone after the block.

    Raises:
        AudioError: `too-large`, `zip-encrypted` or `zip-damaged`.
    """
    info = archive.infolist()[place]
    if info.flag_bits & _ENCRYPTED:
        raise AudioError("zip-encrypted", "Members with a password cannot be read.")
    with tempfile.NamedTemporaryFile(prefix="soundsite-") as copy:
        try:
            with archive.open(info) as member:
                _copy(member, copy)
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno:  # our disk is full, say
                raise
            raise AudioError("zip-damaged", str(error)) from error
        copy.flush()
        yield Path(copy.name)


def _copy(member: IO[bytes], copy: Any) -> None:
    """Copies at most UPLOAD_MAX_BYTES; what the headers say plays no part."""
    left: int = settings.UPLOAD_MAX_BYTES
    while block := member.read(_BLOCK):
        left -= len(block)
        if left < 0:
            most = filesizeformat(settings.UPLOAD_MAX_BYTES)
            raise AudioError("too-large", f"At most {most} are taken here.")
        copy.write(block)
