"""The FMA data set as it is distributed (arXiv:1612.01840), read a row at a time.

`tracks.csv` is what pandas writes of a table with two levels of columns: a row of groups (album,
artist, set, track), a row of names, a row with the name of the index, then a row a track. Audio
lies below `fma_small`, `fma_medium`, `fma_large` (clips of 30 s) and `fma_full` (whole tracks).
For commands: the import decodes every file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ml.errors import TableError
from tracks.importer import Outcome, import_file
from tracks.services.catalogue import Texts
from tracks.tags import readable

# Best first: a whole track is better than a clip of it.
FOLDERS = ("fma_full", "fma_large", "fma_medium", "fma_small")
# The column (set, subset) of the tracks in a folder; any other is only in the large ones.
SUBSETS = {"fma_small": {"small"}, "fma_medium": {"small", "medium"}}
COLUMNS = {
    "title": ("track", "title"),
    "artist": ("artist", "name"),
    "album": ("album", "title"),
    "genre": ("track", "genre_top"),
    "licence": ("track", "license"),
    "split": ("set", "split"),
    "subset": ("set", "subset"),
    "released": ("album", "date_released"),
    "recorded": ("track", "date_recorded"),
    "published": ("track", "date_created"),
}
LONGEST_CELL = 16 * 1024 * 1024  # biographies are long; a quote that is never closed is longer
_YEAR = re.compile(r"[12]\d{3}(?=-)")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        line: where it ends.
        track_id: FMA's number, None where the row cannot be read.
        cells: by the keys of `COLUMNS`.
    """

    line: int
    track_id: int | None = None
    cells: dict[str, str] = field(default_factory=dict)


class FmaFolder:
    """A folder with `fma_metadata/tracks.csv` and at least one folder of audio.

    Raises:
        TableError: `table-missing`, one of both is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.table = folder / "fma_metadata" / "tracks.csv"
        self.folders = [folder / name for name in FOLDERS if (folder / name).is_dir()]
        if not self.table.is_file():
            raise TableError("table-missing", f"There is no file {self.table}.")
        if not self.folders:
            names = ", ".join(FOLDERS)
            raise TableError("table-missing", f"There is none of {names} in {folder}.")

    def counts(self) -> tuple[int, int]:
        """Number of rows that `outcomes` tells of, and of those of sets that are not here.

        Raises:
            TableError: `table-format`, the table is not FMA's or is broken somewhere.
        """
        here = [self._is_here(row) for row in read_tracks(self.table)]
        return sum(here), len(here) - sum(here)

    def outcomes(self) -> Iterator[Outcome]:
        """Imports the tracks of the table; what is missing or bad is told and stops nothing."""
        for row in filter(self._is_here, read_tracks(self.table)):
            if row.track_id is None:
                yield Outcome(self.table, "bad-row", f"line {row.line}")
            else:
                yield self._import(row.track_id, row.cells)

    def _is_here(self, row: Row) -> bool:
        """Whether the audio should be in one of the folders; a bad row is told, so it is."""
        holds = (SUBSETS.get(folder.name) for folder in self.folders)
        subset = row.cells.get("subset")
        return subset is None or any(subsets is None or subset in subsets for subsets in holds)

    def _import(self, track_id: int, cells: dict[str, str]) -> Outcome:
        name = f"{track_id:06}"
        paths = [folder / name[:3] / f"{name}.mp3" for folder in self.folders]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            return Outcome(paths[0], "file-absent")
        return import_file(path, lambda _: _texts(track_id, cells))


def read_tracks(table: Path) -> Iterator[Row]:
    """The rows of a table of tracks.

    Raises:
        TableError: `table-format`, it lacks columns, or is no CSV from some line on.
    """
    csv.field_size_limit(LONGEST_CELL)
    with table.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        try:
            groups, names = next(lines, []), next(lines, [])
            where = _where(table, groups, names)
            next(lines, None)  # only names the index
            for cells in lines:
                yield _row(lines.line_num, cells, where, len(groups))
        except (csv.Error, UnicodeDecodeError) as error:
            detail = f"{table}, after line {lines.line_num}: {error}"
            raise TableError("table-format", detail) from error


def _where(table: Path, groups: list[str], names: list[str]) -> dict[str, int]:
    """The column of each key of `COLUMNS`."""
    headers = {header: column for column, header in enumerate(zip(groups, names, strict=False))}
    missing = [" ".join(header) for header in COLUMNS.values() if header not in headers]
    if missing:
        raise TableError("table-format", f"{table} has no column {', '.join(missing)}.")
    return {key: headers[header] for key, header in COLUMNS.items()}


def _row(line: int, cells: list[str], where: dict[str, int], width: int) -> Row:
    if len(cells) != width or not (cells[0].isascii() and cells[0].isdigit()):
        return Row(line)
    return Row(line, int(cells[0]), {key: cells[column] for key, column in where.items()})


def _texts(track_id: int, cells: dict[str, str]) -> Texts:
    return Texts(
        title=readable(cells["title"]) or f"Track {track_id}",
        artist=readable(cells["artist"]),
        soundtrack=readable(cells["album"]),
        genre=readable(cells["genre"])[:100],
        year=_year(cells["released"], cells["recorded"], cells["published"]),
        licence=readable(cells["licence"]),
        subset=readable(cells["split"])[:20],
        source=f"FMA data set, track {track_id}",
        source_url="https://github.com/mdeff/fma",
    )


def _year(*dates: str) -> int | None:
    """The year of the first date that is one: "2009-01-06 00:00:00" gives 2009."""
    found = next(filter(None, map(_YEAR.match, dates)), None)
    return int(found[0]) if found else None
