"""The music to measure on: a folder tree, where a file's parent folder is its soundtrack."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ml.sniff import HEAD_BYTES, sniff


@dataclass(frozen=True)
class Track:
    """One audio file.

    Attributes:
        path: of the file.
        name: path below the folder that was searched, for people and ``--ranks``.
        soundtrack: name of the parent folder.
        sha256: of the file's bytes.
        artist: empty where it is not known.
    """

    path: Path
    name: str
    soundtrack: str
    sha256: str
    artist: str = ""


def find_tracks(folders: Iterable[Path], artists: Mapping[str, str] | None = None) -> list[Track]:
    """Every audio file below the folders, by name; the same bytes count once.

    Args:
        folders: searched with all their subfolders; links are followed.
        artists: artist by md5 of the file, as `read_artists` gives them.
    """
    known = artists or {}
    tracks: dict[str, Track] = {}
    for folder in folders:
        for path in _audio_files(folder):
            sha256, md5 = _digests(path)
            name = str(path.relative_to(folder.parent))
            track = Track(path, name, path.parent.name, sha256, known.get(md5, ""))
            tracks.setdefault(sha256, track)
    return sorted(tracks.values(), key=lambda track: track.name)


def read_artists(table: Path) -> dict[str, str]:
    """Artist by md5 of the audio file, from a CSV with the columns ``md5`` and ``artist``."""
    with table.open(encoding="utf-8", newline="") as file:
        return {row["md5"]: row["artist"] for row in csv.DictReader(file)}


def _audio_files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and _is_audio(path):
                yield path


def _is_audio(path: Path) -> bool:
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES)) is not None


def _digests(path: Path) -> tuple[str, str]:
    """sha-256 and md5; the second only names a file in tables, it protects nothing."""
    content = path.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False)
    return hashlib.sha256(content).hexdigest(), md5.hexdigest()
