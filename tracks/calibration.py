"""The catalogue's own nearest distances, against which an answer is scored. Worker only."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

from django.conf import settings
from django.db.models import Max

from ml.encoding import Encoding
from tracks.locks import alone
from tracks.models import IndexEntry, ModelVersion
from tracks.search import nearest
from tracks.selectors import heard_entries
from tracks.services import versions

SAMPLE = 500
_LOCKS = 0x50554E44  # namespace of our advisory locks


def calibrate(version: ModelVersion) -> bool:
    """Leave one out: how far sampled tracks are from their nearest other track.

    The distance is the final one of `tracks.search`, so that it compares with an answer's.
    Stored sorted. A second caller at the same time has nothing to do.

    Returns:
        False if another was at it.
    """
    with _alone(version) as alone:
        if alone:
            as_of = version.entries.aggregate(latest=Max("indexed_at"))["latest"]
            distances = [
                found.distance
                for entry in _sample(version)
                for found in nearest(
                    version, Encoding.from_bytes(entry.heard), k=1, exclude=entry.track
                )
            ]
            versions.keep_calibration(version, distances, as_of)
            versions.settle(version)
    return alone


def _sample(version: ModelVersion) -> Iterator[IndexEntry]:
    """At most SAMPLE indexed entries, and no more than fit into half of the task's time.

    Drawn in random order by a fixed seed, so that those which fit are a fair sample too.
    """
    pks = list(heard_entries(version).order_by("pk").values_list("pk", flat=True))
    deadline = time.monotonic() + settings.MATCH_SOFT_LIMIT_SECONDS / 2
    for pk in random.Random(0).sample(pks, min(SAMPLE, len(pks))):
        if time.monotonic() > deadline:
            return
        yield from heard_entries(version).filter(pk=pk).select_related("track")


def _alone(version: ModelVersion) -> AbstractContextManager[bool]:
    return alone(_LOCKS, version.pk)
