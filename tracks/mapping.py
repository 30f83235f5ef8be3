"""The map of the catalogue: places of all that a version has heard. Worker only: it needs NumPy.

The places are found in a child process (`ml.layout`), which ends as soon as tracks wait to be
indexed: it shares the worker with them, and begins again when the index is at rest.
"""

from __future__ import annotations

import logging
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db.models import Max

from tracks import children
from tracks.locks import alone
from tracks.models import ModelVersion
from tracks.selectors import heard_entries, waiting_entries
from tracks.services import mapping

logger = logging.getLogger(__name__)

_LOCKS = 0x4D415053  # namespace of our advisory locks
# A place that moved by less than this, which nobody can see, is not written: each row that is
# costs an insertion into the approximate index, too.
UNSEEN = 0.001


@dataclass(frozen=True)
class Heard:
    """What is to be laid out.

    Attributes:
        entries: N ids.
        embeddings: (N, D), float32.
        before: (N, 2), the places of the last time; NaN where there was none.
    """

    entries: list[int]
    embeddings: np.ndarray
    before: np.ndarray


def lay_out(version: ModelVersion) -> bool:
    """Finds the place of every heard entry, beginning from those of the last time.

    Returns:
        False if another was at it, or if tracks came to wait for the worker.
    """
    with _alone(version) as free:
        if not free:
            return False
        as_of = version.entries.aggregate(latest=Max("indexed_at"))["latest"]
        try:
            heard = _heard(version)
            _keep(version, heard, _found(heard), as_of)
        except children.NotOursError:
            return False
        except children.ChildError as error:  # the next map is tried when the index has changed
            logger.error("There is no new map of %s: %s", version, error)
            mapping.said(version, as_of)
    return True


def _alone(version: ModelVersion) -> AbstractContextManager[bool]:
    return alone(_LOCKS, version.pk)


def _heard(version: ModelVersion) -> Heard:
    rows = heard_entries(version).order_by("pk").values_list("pk", "embedding", "x", "y")
    entries, embeddings, before = [], [], []
    for pk, embedding, x, y in rows.iterator():
        entries.append(pk)
        embeddings.append(np.asarray(embedding, np.float32))
        before.append((np.nan, np.nan) if x is None else (x, y))
    return Heard(entries, np.stack(embeddings), np.array(before, np.float32))


def _found(heard: Heard) -> np.ndarray:
    """Places (N, 2) of the entries."""
    with tempfile.TemporaryDirectory(prefix="map-") as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npy"
        np.savez(given, embeddings=heard.embeddings, previous=heard.before)
        children.run(
            "ml.layout",
            [str(given), str(made)],
            seconds=settings.MATCH_SOFT_LIMIT_SECONDS * 0.8,
            unwanted=waiting_entries().exists,
        )
        places: np.ndarray = np.load(made, allow_pickle=False)
    return places


def _keep(version: ModelVersion, heard: Heard, places: np.ndarray, as_of: datetime) -> None:
    stayed = np.abs(places - heard.before).max(axis=1) < UNSEEN  # never where there was none
    moved = np.flatnonzero(~stayed)
    entries = [heard.entries[place] for place in moved]
    mapping.keep(version, entries, places[moved].astype(float).round(4).tolist(), as_of)
