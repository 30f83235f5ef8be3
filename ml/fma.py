"""What the first system needs of the FMA data set (arXiv:1612.01840): its 140 MFCC statistics.

FMA's `features.csv` is what pandas writes of a table with three levels of columns: rows of
features, of statistics and of numbers, a row with the name of the index, then a row a track.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from ml.errors import TableError
from ml.original import COEFFICIENTS, STATISTICS, WIDTH

LEVELS = ["feature", "statistics", "number"]
_LARGEST = float(np.finfo(np.float32).max)

Refused = Callable[[str, str], None]


@dataclass(frozen=True)
class MfccTable:
    """The statistics of many tracks, and whose they are.

    Attributes:
        track_ids: FMA's numbers, int32 (N,).
        statistics: float32 (N, 140), in the order of `ml.original.statistics`.
    """

    track_ids: np.ndarray
    statistics: np.ndarray

    def save(self, path: Path) -> None:
        """Write an npz file; whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez(file, track_ids=self.track_ids, statistics=self.statistics)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote, without pickle.

        Raises:
            TableError: `table-format`, the file is not such a table.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                table = cls(arrays["track_ids"], arrays["statistics"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise TableError("table-format", f"{path.name} is no table: {error}") from error
        if table.statistics.shape != (len(table.track_ids), WIDTH):
            shape = table.statistics.shape
            raise TableError("table-format", f"{path.name} is of shape {shape}, not (N, {WIDTH})")
        return table


def read_features(path: Path, refused: Refused = lambda row, why: None) -> MfccTable:
    """Take the MFCC statistics out of FMA's feature table, a row at a time.

    Args:
        refused: called for each row that is left out, with its name and the reason.

    Raises:
        TableError: `table-missing`, or `table-format` where it is not FMA's table.
    """
    track_ids, values = array("i"), array("f")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for track_id, statistics in _tracks(csv.reader(file), refused):
                track_ids.append(track_id)
                values.extend(statistics)
    except OSError as error:
        raise TableError("table-missing", f"{path}: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise TableError("table-format", f"{path.name}: {error}") from error
    rows = np.frombuffer(values, np.float32).reshape(-1, WIDTH)
    return MfccTable(np.frombuffer(track_ids, np.int32), rows)


def _tracks(rows: Iterator[list[str]], refused: Refused) -> Iterator[tuple[int, list[float]]]:
    """Number and statistics of each track that has them all."""
    headers = [next(rows, []) for _ in LEVELS]
    columns = _columns(headers)
    width, chosen = len(headers[0]), itemgetter(*columns)
    next(rows, None)  # only names the index
    for row in rows:
        name = f"track {row[0]}" if row else "an empty row"
        try:
            if len(row) != width:
                raise ValueError(f"{len(row)} columns in place of {width}")
            track_id, statistics = int(row[0]), [float(text) for text in chosen(row)]
        except ValueError as error:
            refused(name, str(error))
            continue
        if all(abs(value) <= _LARGEST for value in statistics):  # neither NaN nor infinite
            yield track_id, statistics
        else:
            refused(name, "a statistic is not finite")


def _columns(headers: list[list[str]]) -> list[int]:
    """Where the 140 columns stand, by their names."""
    if [header[:1] for header in headers] != [[level] for level in LEVELS]:
        raise TableError("table-format", f"the first rows are not headed {', '.join(LEVELS)}")
    where = {names: column for column, names in enumerate(zip(*headers, strict=False))}
    numbers = [f"{number + 1:02}" for number in range(COEFFICIENTS)]
    wanted = [("mfcc", statistic, number) for statistic in STATISTICS for number in numbers]
    missing = [" ".join(names) for names in wanted if names not in where]
    if missing:
        raise TableError("table-format", f"{len(missing)} columns are missing, as {missing[0]}")
    return [where[names] for names in wanted]
