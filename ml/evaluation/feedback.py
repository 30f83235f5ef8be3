"""What people said of answers: is what they call a good match nearer than what they do not?

The site writes the table: ``manage.py export_feedback FILE``. Only verdicts on two files of the
evaluated folders can be used, for a distance needs both.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from ml.evaluation.catalogue import Track
from ml.evaluation.metrics import Floats, Integers
from ml.evaluation.proxies import Result

COLUMNS = ("query_sha256", "track_sha256", "verdict")
GOOD = {"good": True, "not_similar": False}


@dataclass(frozen=True)
class Verdict:
    """What somebody said of one answer to one query, both named by the sha-256 of their files."""

    query: str
    track: str
    good: bool


@dataclass(frozen=True)
class Pairs:
    """A good match and one that is not similar, of the same query, each a track's place.

    Attributes:
        queries, good, other: (P,).
        verdicts: how many were read.
    """

    queries: Integers
    good: Integers
    other: Integers
    verdicts: int


def read_verdicts(table: Path) -> list[Verdict]:
    """The rows of a CSV with the columns ``query_sha256``, ``track_sha256`` and ``verdict``.

    Raises:
        ValueError: a column is missing, or a verdict is neither ``good`` nor ``not_similar``.
    """
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = set(COLUMNS) - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{table} has no column {', '.join(sorted(missing))}")
        return [_verdict(row, f"{table}, line {rows.line_num}") for row in rows]


def _verdict(row: dict[str, str], where: str) -> Verdict:
    said = row["verdict"]
    if said not in GOOD:
        raise ValueError(f"{where}: {said!r} is neither good nor not_similar")
    return Verdict(row["query_sha256"], row["track_sha256"], GOOD[said])


def pairs(verdicts: Sequence[Verdict], tracks: Sequence[Track]) -> Pairs:
    """Every good match of a query beside everything that was called not similar to it.

    A track is not its own match, whatever was said of it.
    """
    places = {track.sha256: place for place, track in enumerate(tracks)}
    found = [
        (query, good, other)
        for query, said in _by_query(verdicts, places).items()
        for good, other in product(said[True], said[False])
    ]
    queries, good, other = np.array(found, int).reshape(-1, 3).T
    return Pairs(queries, good, other, len(verdicts))


def _by_query(
    verdicts: Iterable[Verdict], places: dict[str, int]
) -> dict[int, dict[bool, list[int]]]:
    """Places of tracks by query and verdict; several people's words on one track all count."""
    said: dict[int, dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    for verdict in verdicts:
        query, track = places.get(verdict.query), places.get(verdict.track)
        if query is not None and track is not None and query != track:
            said[query][verdict.good].append(track)
    return said


def agreement(found: Pairs, distances: Floats, soundtracks: np.ndarray, seed: int) -> Result:
    """Share of the pairs in which the good match is nearer; ties count half.

    Pooled over the queries, this is the area under the curve of each query's ranking, every
    query weighted by its pairs.

    Args:
        distances: (N, N) of all tracks from each.
        soundtracks: (N,), of which whole ones are drawn for the interval.
    """
    good = distances[found.queries, found.good]
    other = distances[found.queries, found.other]
    result = Result(groups=soundtracks[found.queries])
    result.add("agreement", np.where(good == other, 0.5, good < other).astype(float), seed)
    return result
