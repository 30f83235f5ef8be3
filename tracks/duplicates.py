"""Looks for the same recording in another encoding. Worker only: it ranks by all codes."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from ml.alignment import Span
from ml.encoding import Encoding
from ml.likeness import SAME_SCALE
from tracks import runtime
from tracks.models import IndexEntry, ModelVersion
from tracks.search import Found, nearest
from tracks.selectors import uncompared_entries, waiting_entries
from tracks.services import duplicates

logger = logging.getLogger(__name__)

STEP_SECONDS = 5.0
# A track and its copies in other encodings are among the very closest, by either of them.
CLOSEST = 10
# Two pieces of one soundtrack may share a passage: the same piece matches over most of its length.
MOST = 0.6
PART_SECONDS = 220.0  # of a long piece, laid along another at once
SAME_LAG = 1.0  # seconds


def compare_some(version: ModelVersion) -> bool:
    """Compares tracks with the others for a few seconds; False when there was nothing to do.

    Stops where entries wait to be indexed, or where another worker compares as well.
    """
    runtime.load(version)
    began, last = time.monotonic(), None
    for entry in uncompared_entries(version).select_related("track").defer("embedding", "encoding"):
        late = time.monotonic() > began + STEP_SECONDS or waiting_entries().exists()
        if late and entry.indexed_at != last:  # never between two of the same moment
            return last is not None
        try:
            compare(version, entry)
        except Exception:  # one track must never stop the others
            logger.exception("Track %s could not be compared", entry.track_id)
        if entry.indexed_at is None or not duplicates.compared(version, entry.indexed_at):
            return False
        last = entry.indexed_at
    return last is not None


def compare(version: ModelVersion, entry: IndexEntry) -> None:
    """Proposes every track that is the same piece as the entry's, as heard from both sides."""
    for found in _same(version, entry):
        other = IndexEntry.objects.filter(
            track=found.track, model_version=version, state=IndexEntry.State.INDEXED
        ).first()
        if other and any(back.track == entry.track for back in _same(version, other)):
            duplicates.propose(
                entry.track,
                found.track,
                strength=1.0 - found.distance / SAME_SCALE,
                spans=[_stretches(span) for span in found.spans],
            )


def _same(version: ModelVersion, entry: IndexEntry) -> list[Found]:
    """Tracks that are the same recording by their codes, over most of the shorter of the two."""
    heard = Encoding.from_bytes(entry.heard)
    return [
        found
        for found in nearest(version, heard, k=CLOSEST, exclude=entry.track)
        if found.same_recording
        and covered(found.spans, min(heard.duration, found.track.duration or 0.0)) >= MOST
    ]


def covered(spans: Sequence[Span], seconds: float) -> float:
    """Which share of so many seconds lies in spans of one lag, that of the longest.

    Of a long piece, an alignment shows only the part that fits best.
    """
    if not spans or not seconds:
        return 0.0
    longest = max(spans, key=lambda span: span.query_end - span.query_start)
    together = sum(
        span.query_end - span.query_start
        for span in spans
        if abs(_lag(span) - _lag(longest)) <= SAME_LAG
    )
    return together / min(seconds, PART_SECONDS)


def _lag(span: Span) -> float:
    return span.match_start - span.query_start


def _stretches(span: Span) -> dict[str, list[float]]:
    return {
        "one": [span.query_start, span.query_end],
        "other": [span.match_start, span.match_end],
    }
