"""The states of index entries: claims, fences, losses, retries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tracks import selectors
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.services import index

pytestmark = pytest.mark.django_db
State = IndexEntry.State
HEARD = {
    "embedding": [1.0] + [0.0] * 7,
    "encoding": b"codes",
    "duration": 3.0,
    "tempo": 93.5,
}


def fall_silent(entry: IndexEntry, settings: Any) -> None:
    """As after so many seconds without a heartbeat."""
    long_ago = timezone.now() - timedelta(seconds=settings.HEARTBEAT_TIMEOUT_SECONDS + 1)
    IndexEntry.objects.filter(pk=entry.pk).update(heartbeat_at=long_ago)


def claimed() -> IndexEntry:
    entry = index.claim()
    assert entry is not None
    return entry


def test_the_oldest_waiting_entry_is_claimed_first(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    first, second = add(1), add(2)
    assert claimed().track == first
    assert claimed().track == second
    assert index.claim() is None


def test_entries_of_a_version_that_is_not_live_are_not_claimed(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    add(1)
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.ARCHIVED)
    assert index.claim() is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("entries", [1, 12])
def test_two_workers_never_claim_the_same_entry(
    entries: int, version: ModelVersion, add: Callable[..., Track]
) -> None:
    for seed in range(entries):
        add(seed)
    together, claims = threading.Barrier(2), []

    def work() -> None:
        together.wait(10)
        while (entry := index.claim()) is not None:
            claims.append(entry.pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(claims) == len(set(claims)) == entries
    assert set(IndexEntry.objects.values_list("attempt", flat=True)) == {1}


def test_a_completed_entry_is_indexed_and_its_track_knows_its_length(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    track = add(1)
    assert index.complete(claimed(), **HEARD)
    entry = track.entries.get()
    assert (entry.state, entry.embedding, bytes(entry.encoding)) == (
        State.INDEXED,
        HEARD["embedding"],
        b"codes",
    )
    track.refresh_from_db()
    assert track.duration == 3.0


def test_a_silent_entry_goes_back_and_its_late_worker_can_write_nothing(
    version: ModelVersion, add: Callable[..., Track], settings: Any
) -> None:
    add(1)
    late = claimed()
    fall_silent(late, settings)
    index.sweep()
    current = claimed()
    assert (current.pk, current.attempt) == (late.pk, late.attempt + 1)
    assert not index.beat(late)
    assert not index.complete(late, **HEARD)
    assert not index.fail(late, "damaged", "")
    assert index.complete(current, **HEARD)


def test_an_entry_whose_heart_beats_is_left_alone(
    version: ModelVersion, add: Callable[..., Track], settings: Any
) -> None:
    add(1)
    entry = claimed()
    fall_silent(entry, settings)
    assert index.beat(entry)
    index.sweep()
    assert index.complete(entry, **HEARD)


def test_an_entry_that_loses_every_worker_fails_with_worker_lost(
    version: ModelVersion, add: Callable[..., Track], settings: Any
) -> None:
    track = add(1)
    for _ in range(settings.MAX_ATTEMPTS):
        fall_silent(claimed(), settings)
        index.sweep()
    entry = track.entries.get()
    assert (entry.state, entry.error_code) == (State.FAILED, "worker-lost")
    assert index.claim() is None


def test_a_worker_whose_track_is_deleted_stops_quietly(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    track = add(1)
    entry = claimed()
    track.delete()
    assert not index.beat(entry)
    assert not index.complete(entry, **HEARD)


def test_the_sweep_queues_a_track_that_a_version_missed(
    version: ModelVersion,
    add: Callable[..., Track],
    sent: list[Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    track = add(1)
    track.entries.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        index.sweep()
    entry = track.entries.get()
    assert (index.INDEX_TASK, entry.pk) in sent


def test_coverage_counts_entries_by_state(version: ModelVersion, add: Callable[..., Track]) -> None:
    for seed in range(3):
        add(seed)
    index.complete(claimed(), **HEARD)
    index.fail(claimed(), "damaged", "")
    assert selectors.coverage(version) == selectors.Coverage(3, indexed=1, pending=1, failed=1)
    assert not selectors.coverage(version).full
    index.complete(claimed(), **HEARD)
    assert selectors.coverage(version).full


def test_a_version_is_calibrated_anew_once_its_index_has_come_to_rest(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    def rests_for(quiet: timedelta) -> None:
        indexed_at = timezone.now() - quiet - timedelta(seconds=1)
        IndexEntry.objects.update(indexed_at=indexed_at)

    add(1)
    entry = claimed()
    assert not selectors.uncalibrated_versions()  # one is pending
    index.complete(entry, **HEARD)
    assert not selectors.uncalibrated_versions()  # more may follow
    rests_for(selectors.QUIET_AT_FIRST)
    assert list(selectors.uncalibrated_versions()) == [version]
    long_ago = timezone.now() - timedelta(days=1)
    ModelVersion.objects.update(calibrated_at=long_ago)
    assert not selectors.uncalibrated_versions()  # the next one takes more patience
    rests_for(selectors.QUIET)
    assert list(selectors.uncalibrated_versions()) == [version]
    ModelVersion.objects.update(calibrated_at=timezone.now())
    assert not selectors.uncalibrated_versions()


@pytest.mark.parametrize(
    "impossible",
    [
        {"state": "INDEXED"},  # without a vector
        {"state": "FAILED"},  # without a reason
        {"error_code": "damaged"},  # a reason without a failure
        {"state": "HEARD"},
    ],
)
def test_the_database_itself_refuses_impossible_entries(
    impossible: dict[str, str], version: ModelVersion, add: Callable[..., Track]
) -> None:
    add(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexEntry.objects.update(**impossible)
