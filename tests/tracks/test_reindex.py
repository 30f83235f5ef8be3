"""Tracks are heard again, as one job: what they were stays until it is replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from ml.encoding import Encoding
from tracks import tasks
from tracks.models import IndexEntry, Job, ModelVersion, Track
from tracks.progress import progress_of
from tracks.search import candidates
from tracks.services import index, jobs, reindex

pytestmark = pytest.mark.django_db
State = IndexEntry.State
VECTOR = np.eye(8, dtype=np.float32)[0]
HEARD = Encoding(VECTOR, np.zeros((4, 2), np.uint16), 0.5, 2.0, {})


def claimed() -> IndexEntry:
    entry = index.claim()
    assert entry is not None
    return entry


def hear(entry: IndexEntry, vector: np.ndarray = VECTOR) -> None:
    assert index.complete(entry, embedding=vector.tolist(), encoding=HEARD.to_bytes(), duration=2.0)


def fail(entry: IndexEntry, code: str = "damaged", detail: str = "ffmpeg: no; it: ends") -> None:
    assert index.fail(entry, code, detail)


def titles(version: ModelVersion) -> set[str]:
    """What a visitor's search would look at."""
    found = Track.objects.filter(entries__in=list(candidates(version, HEARD.embedding)))
    return set(found.values_list("title", flat=True))


@pytest.fixture
def catalogue(version: ModelVersion, add: Callable[..., Track]) -> list[Track]:
    """Songs 0 and 1 are indexed, Song 2 is damaged, Song 3 is silent."""
    tracks = [add(seed) for seed in range(4)]
    hear(claimed()), hear(claimed()), fail(claimed()), fail(claimed(), "silent", "")
    return tracks


def queued(version: ModelVersion) -> Job:
    job = reindex.everything(version)
    assert job is not None
    return job


def test_all_tracks_of_a_version_are_queued_as_one_job(
    catalogue: list[Track],
    version: ModelVersion,
    administrator: Any,
    sent: list[Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = reindex.everything(version, administrator)
    assert job is not None
    assert (job.kind, job.owner, job.options) == (Job.Kind.INDEX, administrator, {"entries": 4})
    assert set(IndexEntry.objects.values_list("state", "job")) == {(State.PENDING, job.pk)}
    assert {task for task, _ in sent} == {index.INDEX_TASK}


def test_what_failed_is_queued_alone_or_by_its_code(
    catalogue: list[Track], version: ModelVersion
) -> None:
    assert reindex.failed(version, "silent")
    assert claimed().track == catalogue[3]
    assert reindex.failed(version)
    assert claimed().track == catalogue[2]
    assert reindex.failed(version) is None
    assert Job.objects.count() == 2


def test_nothing_to_queue_makes_no_job(catalogue: list[Track], version: ModelVersion) -> None:
    queued(version)
    assert reindex.everything(version) is None  # all of them wait already
    assert Job.objects.count() == 1


def test_entries_of_a_version_that_is_not_live_and_of_withdrawn_tracks_are_left_alone(
    catalogue: list[Track], version: ModelVersion
) -> None:
    Track.objects.filter(pk=catalogue[0].pk).update(audio="", withdrawn_at=timezone.now())
    assert queued(version).options == {"entries": 3}
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    assert reindex.everything(version) is None


def test_a_track_answers_as_before_while_it_is_heard_again(
    catalogue: list[Track], version: ModelVersion
) -> None:
    assert titles(version) == {"Song 0", "Song 1"}
    queued(version)
    assert titles(version) == {"Song 0", "Song 1"}  # they wait
    in_hand = [claimed() for _ in catalogue]
    assert titles(version) == {"Song 0", "Song 1"}  # workers have them
    for entry in in_hand:
        hear(entry)
    assert titles(version) == {"Song 0", "Song 1", "Song 2", "Song 3"}


def test_a_track_that_fails_when_heard_again_is_no_answer_any_more(
    catalogue: list[Track], version: ModelVersion
) -> None:
    queued(version)
    while (entry := index.claim()) is not None:
        fail(entry)
    assert titles(version) == set()
    assert reindex.failed(version)
    assert titles(version) == set()  # nor while it waits for another try


def test_a_new_track_is_heard_before_those_that_are_heard_again(
    catalogue: list[Track], version: ModelVersion, add: Callable[..., Track]
) -> None:
    queued(version)
    new = add(9)
    assert [claimed().track for _ in range(3)] == [catalogue[2], catalogue[3], new]


def test_a_job_runs_with_its_first_track_and_is_finished_with_its_last(
    catalogue: list[Track], version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = queued(version)
    for done in range(4):
        entry = claimed()
        job.refresh_from_db()
        assert (job.state, progress_of(job).done) == (Job.State.RUNNING, done)
        assert job.started_at
        assert reindex.finish_done() == 0
        hear(entry)
    monkeypatch.setattr("tracks.indexing.index_next", lambda: True)
    tasks.index_entry(entry.pk)  # nothing waits any more
    job.refresh_from_db()
    assert (job.state, progress_of(job).percent) == (Job.State.FINISHED, 100)


def test_the_sweep_ends_a_job_whose_tracks_were_deleted(
    catalogue: list[Track], version: ModelVersion
) -> None:
    job = queued(version)
    Track.objects.all().delete()
    tasks.sweep_index()
    job.refresh_from_db()
    assert job.state == Job.State.FINISHED


def test_entries_of_a_paused_job_wait_and_go_on_with_it(
    catalogue: list[Track], version: ModelVersion
) -> None:
    job = queued(version)
    hear(claimed())
    job.refresh_from_db()
    assert jobs.pause(job)
    assert index.claim() is None
    tasks.sweep_index()
    job.refresh_from_db()
    assert job.state == Job.State.PAUSED
    assert jobs.resume(job)
    assert index.claim()


def test_a_cancelled_job_gives_every_track_back_what_it_had(
    catalogue: list[Track], version: ModelVersion
) -> None:
    before = list(IndexEntry.objects.order_by("pk").values("state", "error_code", "error_detail"))
    job = queued(version)
    assert jobs.cancel(job)
    after = IndexEntry.objects.order_by("pk").values("state", "error_code", "error_detail")
    assert list(after) == before
    assert titles(version) == {"Song 0", "Song 1"}
    assert index.claim() is None
    assert (progress_of(job).done, progress_of(job).total) == (0, 4)


def test_a_cancelled_job_leaves_the_track_in_hand_to_its_worker(
    catalogue: list[Track], version: ModelVersion
) -> None:
    job = queued(version)
    entry = claimed()
    assert jobs.cancel(job)
    hear(entry)
    assert titles(version) == {"Song 0", "Song 1", "Song 2"}
    assert progress_of(job).done == 1


def test_a_new_track_of_a_cancelled_job_is_heard_like_any_other(
    catalogue: list[Track], version: ModelVersion, add: Callable[..., Track]
) -> None:
    job = queued(version)
    new = add(9)
    new.entries.update(job=job)
    assert jobs.cancel(job)
    assert claimed().track == new


def test_all_attempts_are_given_again(
    catalogue: list[Track], version: ModelVersion, settings: Any
) -> None:
    reindex.failed(version, "silent")
    for _ in range(settings.MAX_ATTEMPTS):
        fall_silent(claimed(), settings)
        index.sweep()
    entry = catalogue[3].entries.get()
    assert (entry.state, entry.error_code) == (State.FAILED, "worker-lost")
    reindex.failed(version, "worker-lost")
    fall_silent(claimed(), settings)
    index.sweep()
    assert catalogue[3].entries.get().state == State.PENDING


def fall_silent(entry: IndexEntry, settings: Any) -> None:
    long_ago = timezone.now() - timedelta(seconds=settings.HEARTBEAT_TIMEOUT_SECONDS + 1)
    IndexEntry.objects.filter(pk=entry.pk).update(heartbeat_at=long_ago)


def test_what_was_heard_again_carries_no_old_reason(
    catalogue: list[Track], version: ModelVersion
) -> None:
    reindex.failed(version)
    entry = claimed()
    assert entry.error_detail == "damaged: ffmpeg: no; it: ends"
    hear(entry)
    assert catalogue[2].entries.get().error_detail == ""
