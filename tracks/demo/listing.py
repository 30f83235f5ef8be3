"""The songs of the demo catalogue, as `soundtracks.csv` lists them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

LISTING = Path(__file__).with_name("soundtracks.csv")


@dataclass(frozen=True)
class Song:
    """One audio file within a package; `file` is its name there, wherever it lies."""

    file: str
    soundtrack: str
    title: str
    artist: str
    licence: str
    md5: str
    sha256: str


@dataclass(frozen=True)
class Package:
    """A Debian package with music in it, and its download size in bytes."""

    name: str
    size: int
    songs: tuple[Song, ...]


@cache
def packages(listing: Path = LISTING) -> tuple[Package, ...]:
    """All packages of a listing, the smallest first."""
    with listing.open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=_size_and_name)
    return tuple(
        Package(name, size, tuple(_song(row) for row in group))
        for (size, name), group in groupby(rows, key=_size_and_name)
    )


def _size_and_name(row: dict[str, str]) -> tuple[int, str]:
    return int(row["package_bytes"]), row["package"]


def _song(row: dict[str, str]) -> Song:
    return Song(**{name: row[name] for name in Song.__dataclass_fields__})
