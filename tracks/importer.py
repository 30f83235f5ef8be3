"""Imports a folder tree of music, file by file. For commands: it decodes every file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.files import File

from ml.errors import AudioError
from tracks.models import Track
from tracks.probe import probe
from tracks.services.catalogue import Texts, add_track, digest
from tracks.tags import read_tags, readable

# What lies beside music in a folder of music and is none.
OTHER_ENDINGS = {
    *("bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"),
    *("csv", "doc", "docx", "htm", "html", "log", "md", "nfo", "pdf", "rtf", "txt", "url"),
    *("cue", "db", "ini", "json", "m3u", "m3u8", "md5", "pls", "sfv", "xml", "yaml", "yml"),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        path: of the file.
        code: empty when it was imported, else the reason of `tracks.reasons`.
        detail: what was found.
    """

    path: Path
    code: str = ""
    detail: str = ""


def music_files(folder: Path) -> tuple[list[Path], int]:
    """Files that may be music, sorted, and the number of those that by their ending are none."""
    files = [
        path
        for path in sorted(folder.rglob("*"), key=lambda path: (path.parent, path.stem, path.name))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    music = [path for path in files if path.suffix[1:].lower() not in OTHER_ENDINGS]
    return music, len(files) - len(music)


def import_files(paths: Iterable[Path]) -> Iterator[Outcome]:
    """Imports one file after another; a bad one is told with its reason and stops nothing."""
    for path in paths:
        yield import_file(path, texts_of)


def import_file(path: Path, texts_of: Callable[[Path], Texts]) -> Outcome:
    """Imports one file with the texts that are found for it."""
    try:
        return _import(path, texts_of)
    except AudioError as error:
        return Outcome(path, error.code, error.detail)
    except OSError as error:
        return Outcome(path, "unreadable", error.strerror or "")


def _import(path: Path, texts_of: Callable[[Path], Texts]) -> Outcome:
    if path.stat().st_size == 0:
        return Outcome(path, "empty-file")
    with path.open("rb") as stream:
        audio = File(stream, name=path.name)
        known = Track.objects.filter(sha256=digest(audio)).first()
        if known is not None:
            return Outcome(path, "duplicate", str(known))
        probe(path)
        add_track(audio, texts_of(path))
    return Outcome(path)


def texts_of(path: Path) -> Texts:
    """By the tags; the file's name is the title and its folder's the soundtrack without them."""
    with path.open("rb") as file:
        tags = read_tags(file)
    return Texts(
        title=tags.title or readable(path.stem.replace("_", " ")) or "Untitled",
        artist=tags.artist,
        soundtrack=tags.album or readable(path.resolve().parent.name),
        source="Imported from a folder",
    )
