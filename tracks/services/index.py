"""Every state write of an index entry: claimed by compare-and-set, fenced by attempt.

A write that touches no row means that the entry is no longer the caller's: it stops quietly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now

from tracks import nudge
from tracks.models import IndexEntry, Job, ModelVersion, Track
from tracks.selectors import live_versions, uncalibrated_versions, waiting_entries

INDEX_TASK = "tracks.tasks.index_entry"
CALIBRATE_TASK = "tracks.tasks.calibrate"
# Each message of index_entry sends the next while entries wait, so a few keep all workers busy.
NUDGES = 8

State = IndexEntry.State


def queue_missing(version: ModelVersion) -> int:
    """Creates the PENDING entries that the version lacks, nudges, and returns their number."""
    missing = Track.objects.shown().exclude(entries__model_version=version).order_by("pk")
    entries = [
        IndexEntry(track_id=pk, model_version=version)
        for pk in missing.values_list("pk", flat=True)
    ]
    # A track may be deleted, or queued by another, at this very moment: the sweep comes again.
    IndexEntry.objects.bulk_create(entries, batch_size=1000, ignore_conflicts=True)
    if entries:
        nudge_waiting()
    return len(entries)


def queue_track(track: Track) -> None:
    """Creates the track's PENDING entries for every live version and nudges on commit."""
    versions = live_versions()
    IndexEntry.objects.bulk_create(
        [IndexEntry(track=track, model_version=version) for version in versions],
        ignore_conflicts=True,
    )
    for entry in IndexEntry.objects.filter(track=track, state=State.PENDING):
        nudge.after_commit(INDEX_TASK, entry.pk)


def nudge_waiting() -> None:
    """Sends a few messages for entries that wait, on commit."""
    for pk in waiting_entries().values_list("pk", flat=True)[:NUDGES]:
        nudge.after_commit(INDEX_TASK, pk)


def claim() -> IndexEntry | None:
    """Takes the oldest waiting entry for the caller, who must let it beat and end it.

    Returns:
        The entry with its new attempt, or None when nothing waits.
    """
    with transaction.atomic():
        entry = waiting_entries().select_for_update(skip_locked=True, of=("self",)).first()
        if entry is None:
            return None
        taken = IndexEntry.objects.filter(
            pk=entry.pk, attempt=entry.attempt, state=State.PENDING, heartbeat_at=None
        ).update(attempt=entry.attempt + 1, heartbeat_at=Now())
    if taken != 1:
        return None
    entry.attempt += 1
    _begin_job(entry)
    return entry


def _begin_job(entry: IndexEntry) -> None:
    """QUEUED -> RUNNING, once the first of the job's entries is in hand.

    Not in the transaction of the claim: who cancels the job locks it first and its entries then.
    """
    if entry.job_id is not None:
        Job.objects.filter(pk=entry.job_id, kind=Job.Kind.INDEX, state=Job.State.QUEUED).update(
            state=Job.State.RUNNING, started_at=Coalesce("started_at", Now())
        )


def _mine(entry: IndexEntry) -> QuerySet[IndexEntry]:
    """The entry's row as long as the caller's claim holds."""
    return IndexEntry.objects.filter(
        pk=entry.pk, attempt=entry.attempt, state=State.PENDING, heartbeat_at__isnull=False
    )


def beat(entry: IndexEntry) -> bool:
    """Says that the claim is alive; False when it is no longer the caller's."""
    return _mine(entry).update(heartbeat_at=Now()) == 1


@transaction.atomic
def complete(
    entry: IndexEntry,
    *,
    embedding: Sequence[float],
    encoding: bytes,
    duration: float,
    peaks: bytes | None = None,
    strip: bytes | None = None,
    tempo: float | None = None,
) -> bool:
    """PENDING -> INDEXED, with what the model heard; the track learns its duration in seconds."""
    written = _mine(entry).update(
        state=State.INDEXED,
        embedding=list(embedding),
        encoding=encoding,
        peaks=peaks,
        strip=strip,
        tempo=tempo,
        error_detail="",
        heartbeat_at=None,
        losses=0,
        indexed_at=Now(),
    )
    if written == 1:
        Track.objects.filter(pk=entry.track_id).update(duration=duration)
    return written == 1


def fail(entry: IndexEntry, code: str, detail: str) -> bool:
    """PENDING -> FAILED with a stable code and a detail for the administrator."""
    return _mine(entry).update(**_failed(code, detail)) == 1


def _failed(code: str, detail: str) -> dict[str, Any]:
    """The fields of an entry that failed. What was heard before is no answer any more."""
    return {
        "state": State.FAILED,
        "error_code": code,
        "error_detail": detail,
        "embedding": None,
        "encoding": None,
        "peaks": None,
        "strip": None,
        "tempo": None,
        "x": None,
        "y": None,
        "heartbeat_at": None,
        "indexed_at": Now(),
    }


def sweep() -> None:
    """Revives what fell silent, queues what was missed and nudges what waits."""
    silent = IndexEntry.objects.filter(
        state=State.PENDING,
        heartbeat_at__lt=Now() - timedelta(seconds=settings.HEARTBEAT_TIMEOUT_SECONDS),
    )
    for entry in silent:
        _give_up(entry)
    for version in live_versions():
        queue_missing(version)
    nudge_waiting()
    for version in uncalibrated_versions():
        nudge.after_commit(CALIBRATE_TASK, version.pk)


def release_all() -> int:
    """Every claimed entry waits again, with no loss counted; for when no worker can be left."""
    claimed = IndexEntry.objects.filter(state=State.PENDING, heartbeat_at__isnull=False)
    return claimed.update(heartbeat_at=None)


def _give_up(entry: IndexEntry) -> None:
    """Takes the entry from a worker that fell silent: back to the queue, or FAILED."""
    mine = _mine(entry).filter(heartbeat_at=entry.heartbeat_at)
    if entry.losses + 1 < settings.MAX_ATTEMPTS:
        mine.update(heartbeat_at=None, losses=F("losses") + 1)
    else:
        detail = f"{entry.losses + 1} workers fell silent on this track."
        mine.update(**_failed("worker-lost", detail))
