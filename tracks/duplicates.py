"""Looks for the same recording in another encoding. Worker only: it ranks by all codes."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np

from ml.alignment import Steps, correlations
from ml.encoding import Encoding
from ml.likeness import Piece
from tracks import runtime
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.search import nearest
from tracks.selectors import uncompared_entries, waiting_entries
from tracks.services import duplicates

logger = logging.getLogger(__name__)

STEP_SECONDS = 5.0
# A track and its copies in other encodings are among the very closest, by either of them.
CLOSEST = 10
# Two pieces of one soundtrack may share a passage: of the 224 pieces that all figures are measured
# on, such pairs match over at most 0.22 of the shorter one, the same pieces over 0.66 and more.
MOST = 0.5
ALIKE = 0.4  # correlation of two windows of the same piece


def compare_some(version: ModelVersion) -> bool:
    """Compares tracks with the others for a few seconds; False when there was nothing to do.

    Stops where entries wait to be indexed, or where another worker compares as well.
    """
    runtime.load(version)
    began, last = time.monotonic(), None
    for entry in uncompared_entries(version).select_related("track").defer(*IndexEntry.BULKY):
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
    for track in _same(version, entry):
        other = IndexEntry.objects.filter(
            track=track, model_version=version, state=IndexEntry.State.INDEXED
        ).first()
        if other is None or entry.track not in _same(version, other):
            continue
        found = shared(_steps(version, entry), _steps(version, other))
        if found.share >= MOST:
            duplicates.propose(entry.track, track, strength=found.strength, spans=found.spans)


def _same(version: ModelVersion, entry: IndexEntry) -> list[Track]:
    """Tracks that share a recording with the entry's, by the entry."""
    heard = Encoding.from_bytes(entry.heard)
    closest = nearest(version, heard, k=CLOSEST, exclude=entry.track)
    return [found.track for found in closest if found.same_recording]


def _steps(version: ModelVersion, entry: IndexEntry) -> Steps:
    heard = Encoding.from_bytes(entry.heard)
    return Piece(heard.codes, heard.code_seconds, runtime.load(version).space).steps


@dataclass(frozen=True)
class Shared:
    """How much of two pieces is the same along the one lag at which they match best.

    Attributes:
        share: of the windows of the shorter piece.
        strength: correlation of the best window.
        spans: as `tracks.services.duplicates.propose` takes them.
    """

    share: float
    strength: float
    spans: list[dict[str, list[float]]]


def shared(one: Steps, other: Steps) -> Shared:
    """Lays two pieces along each other as a whole."""
    found, window = correlations(one, other)
    if not found.size:
        return Shared(0.0, 0.0, [])
    row, column = np.unravel_index(found.argmax(), found.shape)
    lag = int(column) - int(row)
    alike = found.diagonal(lag) >= ALIKE
    first = max(-lag, 0)
    spans = [
        {
            "one": [round((first + step) * one.seconds, 2) for step in run],
            "other": [round((first + lag + step) * other.seconds, 2) for step in run],
        }
        for run in _runs(np.convolve(alike, np.ones(window)) > 0)
    ]
    return Shared(float(alike.sum() / min(found.shape)), float(found.max()), spans)


def _runs(held: np.ndarray) -> list[list[int]]:
    """First and last, excluded, of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(int)))
    runs: list[list[int]] = edges.reshape(-1, 2).tolist()
    return runs
