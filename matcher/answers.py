"""A finished upload as its page shows it: words, and the geometry of the small pictures."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from matcher import wording
from matcher.models import Match, Upload
from matcher.selectors import matches_of

WIDTH = 1000  # of a picture, in its own units; the page stretches it
MOST_SPANS = 6


@dataclass(frozen=True)
class SpanView:
    """One matching span: its words, its seconds, and where it lies in the picture.

    `x`, `width` belong to the query's timeline, `match_x`, `match_width` to the track's, and
    `bridge` is the polygon between the two. All are strings, as numbers must not be localised.
    """

    words: str
    query: str
    match: str
    x: str
    width: str
    match_x: str
    match_width: str
    bridge: str


@dataclass(frozen=True)
class Row:
    """One of the closest tracks."""

    match: Match
    player: str  # the id of its audio element
    grade: str | Promise
    close: bool
    calibrated: str
    spans: list[SpanView]


def rows_of(upload: Upload) -> list[Row]:
    """The matches of a finished upload, closest first."""
    return [_row(upload, match) for match in matches_of(upload)]


def _row(upload: Upload, match: Match) -> Row:
    return Row(
        match=match,
        player=f"theirs-{match.rank}",
        grade=wording.grade(match.score, same_recording=match.same_recording, rank=match.rank),
        close=match.same_recording or match.score >= wording.CLOSE,
        calibrated=wording.calibrated(match.score),
        spans=[_span(upload, match, span) for span in match.spans[:MOST_SPANS]],
    )


def _span(upload: Upload, match: Match, span: dict[str, list[float]]) -> SpanView:
    x, end = _stretched(span["query"], upload.duration)
    match_x, match_end = _stretched(span["match"], match.track.duration)
    return SpanView(
        words=wording.span_words(span),
        query=f"{span['query'][0]:.2f}",
        match=f"{span['match'][0]:.2f}",
        x=f"{x:.1f}",
        width=f"{end - x:.1f}",
        match_x=f"{match_x:.1f}",
        match_width=f"{match_end - match_x:.1f}",
        bridge=f"{x:.1f},18 {end:.1f},18 {match_end:.1f},70 {match_x:.1f},70",
    )


def _stretched(span: list[float], duration: float | None) -> tuple[float, float]:
    """Start and end in seconds as places on a timeline of WIDTH, at least a hair apart."""
    whole = max(duration or 0.0, span[1], 0.1)
    start = WIDTH * span[0] / whole
    return start, max(start + 4, WIDTH * span[1] / whole)
