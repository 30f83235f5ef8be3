"""From figures to a table for people and a JSON document for programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ml.evaluation import bootstrap
from ml.evaluation.bootstrap import Estimate
from ml.evaluation.catalogue import Track
from ml.evaluation.codebook import Codebook
from ml.evaluation.feedback import Pairs
from ml.evaluation.proxies import Figure, Neighbours, Result

LISTED = 50
SAME_SOUNDTRACK_COLUMNS = {
    "P@1": "P@1",
    "P@1 by soundtrack": "macro",
    "P@5": "P@5",
    "MAP": "MAP",
    "hub skew": "hub skew",
    "orphans": "orphans",
    "middle P@1": "P@1 of a minute",
    "treated P@1": "treated",
    "artist P@1": "P@1 artist",
}
WITH_INTERVAL = {"P@1", "MAP", "top-1", "MRR", "agreement"}


@dataclass
class Row:
    """One system in all the proxies that were run."""

    same_soundtrack: Neighbours | None = None
    known_item: dict[str, Result] = field(default_factory=dict)
    two_halves: Result | None = None
    feedback: Result | None = None


@dataclass
class Report:
    """Everything that one run found.

    Attributes:
        settings: what was run, with the digests that say on what.
        tracks: in the order of every per-track figure.
        failures: reason by name of a track that could not be heard.
        under_test: name of the model's row; None where only baselines were measured.
        rows: by name of the system; the system under test first.
        codebooks: of the system under test.
        reconstruction_error: of the same, where it says.
        losses: by name of the system, losses by epoch.
        feedback: what people said, where that was given.
        minutes: that the run took.
        peak_memory_mb: of its largest process.
    """

    settings: dict[str, Any]
    tracks: Sequence[Track]
    failures: Mapping[str, str]
    under_test: str | None = None
    rows: dict[str, Row] = field(default_factory=dict)
    codebooks: list[Codebook] = field(default_factory=list)
    reconstruction_error: float | None = None
    losses: dict[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    feedback: Pairs | None = None
    minutes: float = 0.0
    peak_memory_mb: float = 0.0


def differences(report: Report, seed: int) -> dict[str, dict[str, Estimate]]:
    """The system under test minus each other one, paired by query, with its interval."""
    if not report.under_test:
        return {}
    ours = report.rows[report.under_test]
    return {
        name: _row_differences(ours, theirs, seed)
        for name, theirs in report.rows.items()
        if theirs is not ours
    }


def _row_differences(ours: Row, theirs: Row, seed: int) -> dict[str, Estimate]:
    pairs: dict[str, tuple[Any, Any]] = {"": (ours.same_soundtrack, theirs.same_soundtrack)}
    pairs["halves "] = (ours.two_halves, theirs.two_halves)
    pairs["feedback "] = (ours.feedback, theirs.feedback)
    found = {}
    for prefix, (one, other) in pairs.items():
        for name in ("P@1", "MAP", "top-1", "MRR", "agreement"):
            if one and other and name in one.scores and len(one.scores[name]):
                scores = one.scores[name], other.scores[name]
                found[prefix + name] = bootstrap.difference(*scores, one.groups, seed)
    return found


def as_json(report: Report, seed: int) -> str:
    """The whole report as JSON; what is not a number is null."""
    document = {
        "settings": report.settings,
        "tracks": [
            {"name": t.name, "soundtrack": t.soundtrack, "artist": t.artist, "sha256": t.sha256}
            for t in report.tracks
        ],
        "failures": report.failures,
        "systems": {name: _row_document(row) for name, row in report.rows.items()},
        "differences": differences(report, seed),
        "codebooks": report.codebooks,
        "reconstruction_error": report.reconstruction_error,
        "losses": report.losses,
        "feedback": _feedback_document(report.feedback) if report.feedback else None,
        "minutes": report.minutes,
        "peak_memory_mb": report.peak_memory_mb,
    }
    return json.dumps(_plain(document), indent=1, allow_nan=False)


def _feedback_document(pairs: Pairs) -> dict[str, int]:
    queries = len(np.unique(pairs.queries))
    return {"verdicts": pairs.verdicts, "pairs": len(pairs.queries), "queries": queries}


def _row_document(row: Row) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if row.same_soundtrack:
        document["proxy 1"] = row.same_soundtrack.figures
        document["hits"] = row.same_soundtrack.scores["P@1"]  # in the order of the tracks
        document["by soundtrack"] = row.same_soundtrack.by_soundtrack()
        document["occurrence"] = row.same_soundtrack.occurrence()
        names, shares = row.same_soundtrack.confusion()
        document["confusion"] = {"soundtracks": names, "shares": shares}
    if row.known_item:
        document["proxy 2"] = {name: found.figures for name, found in row.known_item.items()}
    if row.two_halves:
        document["proxy 3"] = row.two_halves.figures
    if row.feedback:
        document["feedback"] = row.feedback.figures
    return document


def _plain(value: Any) -> Any:
    """The value in JSON's own types."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def write_ranks(found: Neighbours, tracks: Sequence[Track], path: Path) -> None:
    """The first 50 answers to every track as ``query,rank,track,distance``."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("query", "rank", "track", "distance"))
        for query, order in enumerate(found.order):
            answers = [answer for answer in order if np.isfinite(found.distances[query, answer])]
            for rank, answer in enumerate(answers[:LISTED], start=1):
                distance = f"{found.distances[query, answer]:.6g}"
                rows.writerow((tracks[query].name, rank, tracks[answer].name, distance))


def show(report: Report, console: Console, seed: int) -> None:
    """Print every table that there is something to put in."""
    for table in _tables(report, seed):
        if table.row_count:
            console.print(table)
    for name, reason in report.failures.items():
        console.print(f"left out: {name} ({reason})", markup=False)
    console.print(f"{report.minutes:.1f} min, at most {report.peak_memory_mb:.0f} MB a process")


def _tables(report: Report, seed: int) -> Iterable[Table]:
    tracks = len(report.tracks)
    soundtracks = len({track.soundtrack for track in report.tracks})
    first = {name: row.same_soundtrack for name, row in report.rows.items() if row.same_soundtrack}
    title = f"1. Same soundtrack, leave one out: {tracks} tracks, {soundtracks} soundtracks"
    yield _figures_table(title, first, SAME_SOUNDTRACK_COLUMNS)
    yield from _known_item_tables(report)
    third = {name: row.two_halves for name, row in report.rows.items() if row.two_halves}
    yield _figures_table("3. Two halves", third, {"top-1": "top-1", "MRR": "MRR"})
    if report.feedback:
        yield _feedback_table(report, report.feedback)
    yield _differences_table(report, seed)
    yield _codebook_table(report)


def _figures_table(title: str, results: Mapping[str, Result], columns: Mapping[str, str]) -> Table:
    table = Table("system", title=title, title_justify="left")
    shown = [name for name in columns if any(name in r.figures for r in results.values())]
    for name in shown:
        table.add_column(columns[name], justify="right")
    for system, result in results.items():
        cells = [_cell(name, result.figures.get(name)) for name in shown]
        table.add_row(system, *cells)
    return table


def _known_item_tables(report: Report) -> Iterable[Table]:
    """Top-1 of every system by disguise; then all figures of the system under test."""
    rows = {name: row.known_item for name, row in report.rows.items() if row.known_item}
    if not rows:
        return
    table = Table("top-1", *rows, title="2. Known item, by disguise", title_justify="left")
    for disguise in next(iter(rows.values())):
        cells = [_number(found[disguise].figures["top-1"]) for found in rows.values()]
        table.add_row(disguise, *cells)
    yield table
    system, found = next(iter(rows.items()))
    columns = {name: name for name in ("top-1", "top-5", "span", "span or repeat")}
    yield _figures_table(f"2. Known item: {system}", found, columns)


def _feedback_table(report: Report, pairs: Pairs) -> Table:
    """The share of pairs in which the good match is nearer than the one that is not similar."""
    counts = _feedback_document(pairs)
    title = "4. feedback: {pairs} pairs, {queries} queries, {verdicts} verdicts".format(**counts)
    results = {name: row.feedback for name, row in report.rows.items() if row.feedback}
    return _figures_table(title, results, {"agreement": "agreement"})


def _differences_table(report: Report, seed: int) -> Table:
    title = f"{report.under_test} minus the others, paired; in brackets: not told apart"
    found = differences(report, seed)
    columns = list(dict.fromkeys(figure for row in found.values() for figure in row))
    table = Table("system", *columns, title=title, title_justify="left")
    for system, row in found.items():
        table.add_row(system, *[_difference_cell(row.get(figure)) for figure in columns])
    return table


def _codebook_table(report: Report) -> Table:
    columns = ("codebook", "codes", "usage", "perplexity", "effective rank", "entropy (bits)")
    table = Table(*columns, title="The codebooks", title_justify="left")
    for number, book in enumerate(report.codebooks, start=1):
        bits = list(book.entropy.values())
        table.add_row(
            str(number),
            str(book.size),
            f"{book.usage:.1%}",
            f"{book.perplexity:.1f}",
            f"{book.effective_rank:.1f}",
            f"{min(bits):.2f} to {max(bits):.2f} by soundtrack",
        )
    return table


def _cell(name: str, figure: Figure | None) -> str:
    if isinstance(figure, Estimate) and name in WITH_INTERVAL and math.isfinite(figure.value):
        return f"{figure.value:.3f} ({figure.low:.2f} to {figure.high:.2f})"
    return _number(figure)


def _number(figure: Figure | None) -> str:
    value = figure.value if isinstance(figure, Estimate) else figure
    return "-" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _difference_cell(found: Estimate | None) -> str:
    if found is None:
        return "-"
    text = f"{found.value:+.3f} ({found.low:+.2f} to {found.high:+.2f})"
    return f"[dim]\\[{text}][/dim]" if found.contains_zero else text
