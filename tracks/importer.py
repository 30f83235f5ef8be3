"""The way into the catalogue for files that come in numbers. For workers and commands: it decodes.

A file is looked at, which writes nothing, and then put into the catalogue; folders, files of a form
and members of a zip go through the same two functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from django.core.files import File

from ml.errors import AudioError
from tracks.media import ending_of
from tracks.models import Track
from tracks.packed import may_be_music
from tracks.probe import probe
from tracks.services.catalogue import Texts, add_track, digest
from tracks.tags import Tags, read_tags, readable


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


@dataclass(frozen=True)
class Look:
    """What can be known of a file without decoding it.

    Attributes:
        sha256: of its bytes.
        ending: that fits its first bytes.
        tags: what the file says of itself.
        known: the track that has these bytes.
    """

    sha256: str
    ending: str
    tags: Tags
    known: Track | None


def look(path: Path) -> Look:
    """Looks at a file.

    Raises:
        AudioError: `empty-file`, `not-audio`, or `withdrawn`.
        OSError: it cannot be read.
    """
    if path.stat().st_size == 0:
        raise AudioError("empty-file")
    with path.open("rb") as stream:
        audio = File(stream, name=path.name)
        ending = ending_of(audio)
        sha256 = digest(audio)
        known = Track.objects.filter(sha256=sha256).first()
        if ending is None and known is None:
            raise AudioError("not-audio", "The first bytes are of no audio format known here.")
        if known is not None and known.withdrawn_at:
            raise AudioError("withdrawn", str(known))
        return Look(sha256, ending or "", read_tags(stream), known)


def texts_of(tags: Tags, name: str, folder: str, texts: Texts | None = None) -> Texts:
    """By the tags; the file's name is the title and its folder's the soundtrack without them."""
    return replace(
        texts or Texts(title=""),
        title=tags.title or readable(Path(name).stem.replace("_", " ")) or "Untitled",
        artist=tags.artist,
        soundtrack=tags.album or readable(folder),
    )


def put(path: Path, texts: Texts, *, name: str = "") -> tuple[Track, bool]:
    """Puts a file that was proven to be one into the catalogue, see `add_track`."""
    with path.open("rb") as stream:
        return add_track(File(stream, name=path.name), texts, name=name)


def music_files(folder: Path) -> tuple[list[Path], int]:
    """Files that may be music, sorted, and the number of those that by their ending are none."""
    files = [
        path
        for path in sorted(folder.rglob("*"), key=lambda path: (path.parent, path.stem, path.name))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    music = [path for path in files if may_be_music(path.relative_to(folder).as_posix())]
    return music, len(files) - len(music)


def import_files(paths: Iterable[Path]) -> Iterator[Outcome]:
    """Imports one file after another; a bad one is told with its reason and stops nothing."""
    for path in paths:
        yield import_file(path, _texts_in_folder)


def import_file(path: Path, texts: Callable[[Path], Texts]) -> Outcome:
    """Imports one file with the texts that are found for it."""
    try:
        return _import(path, texts)
    except AudioError as error:
        return Outcome(path, error.code, error.detail)
    except OSError as error:
        return Outcome(path, "unreadable", error.strerror or "")


def _import(path: Path, texts: Callable[[Path], Texts]) -> Outcome:
    seen = look(path)
    if seen.known is not None:
        return Outcome(path, "duplicate", str(seen.known))
    probe(path)
    put(path, texts(path))
    return Outcome(path)


def _texts_in_folder(path: Path) -> Texts:
    with path.open("rb") as file:
        tags = read_tags(file)
    source = Texts(title="", source="Imported from a folder")
    return texts_of(tags, path.name, path.resolve().parent.name, source)
