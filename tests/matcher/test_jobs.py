"""Claims, compare-and-set, the sweep, and the rules that the database holds."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from matcher import jobs
from matcher.errors import MatchError
from matcher.models import RUNNING, Match, State, Upload
from tests.matcher.conftest import Upper
from tracks.models import ModelVersion, Track


@dataclass(frozen=True)
class Span:
    query_start: float = 1.0
    query_end: float = 2.0
    match_start: float = 3.0
    match_end: float = 4.0


@dataclass(frozen=True)
class Found:
    """What tracks.search answers, without the libraries that it needs."""

    track: Track
    distance: float = 0.5
    score: float = 50.0
    same_recording: bool = False
    spans: tuple[Span, ...] = (Span(),)
    reasons: tuple[dict[str, Any], ...] = ()


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def test_the_oldest_waiting_upload_is_claimed_first(upload: Upper) -> None:
    upload(queued_at=ago(10))
    oldest = upload(queued_at=ago(60))
    claimed = jobs.claim()
    assert claimed is not None
    assert claimed.pk == oldest.pk


def test_a_claim_starts_the_first_stage_and_pins_the_active_model(
    upload: Upper, version: ModelVersion
) -> None:
    upload()
    claimed = jobs.claim()
    assert claimed is not None
    assert (claimed.state, claimed.attempt, claimed.attempts_left) == (State.DECODING, 1, 2)
    assert claimed.model_version == version
    assert claimed.heartbeat_at
    assert claimed.started_at


def test_nothing_is_claimed_when_nothing_waits(upload: Upper) -> None:
    upload(State.FINISHED)
    upload(State.ENCODING)
    assert jobs.claim() is None


def test_a_claim_without_an_active_model_pins_none(upload: Upper, version: ModelVersion) -> None:
    version.state = ModelVersion.State.RETIRED
    version.save()
    upload()
    claimed = jobs.claim()
    assert claimed is not None
    assert claimed.model_version is None


def test_someone_with_many_uploads_does_not_keep_others_waiting(
    upload: Upper, stranger: Any
) -> None:
    for seconds in (90, 80, 70):
        upload(queued_at=ago(seconds))
    late = upload(owner=stranger, queued_at=ago(1))
    claimed = [jobs.claim(), jobs.claim()]
    assert late.pk in [one.pk for one in claimed if one]


def test_someone_who_was_just_served_comes_after_someone_who_was_not(
    upload: Upper, stranger: Any
) -> None:
    upload(State.FINISHED, started_at=ago(30))
    upload(queued_at=ago(60))
    patient = upload(owner=stranger, queued_at=ago(5))
    claimed = jobs.claim()
    assert claimed is not None
    assert claimed.pk == patient.pk


def test_having_been_served_an_hour_ago_counts_no_more(upload: Upper, stranger: Any) -> None:
    upload(State.FINISHED, started_at=ago(3600))
    older = upload(queued_at=ago(60))
    upload(owner=stranger, queued_at=ago(5))
    claimed = jobs.claim()
    assert claimed is not None
    assert claimed.pk == older.pk


@pytest.mark.django_db(transaction=True)
def test_workers_that_race_claim_each_upload_exactly_once(upload: Upper) -> None:
    waiting = {upload().pk for _ in range(12)}
    claimed: list[UUID] = []
    start = threading.Barrier(6)

    def work() -> None:
        try:
            start.wait()
            while (one := jobs.claim()) is not None:
                claimed.append(one.pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # A worker may leave while the last rows are locked by others: nothing twice, nothing lost.
    while (one := jobs.claim()) is not None:
        claimed.append(one.pk)
    assert Counter(claimed) == Counter(waiting)
    assert set(Upload.objects.values_list("attempt", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_worker_holds_is_passed_over(upload: Upper) -> None:
    held, free = upload(queued_at=ago(60)), upload(queued_at=ago(1))
    claimed: list[Upload | None] = []

    def work() -> None:
        claimed.append(jobs.claim())
        connection.close()

    with transaction.atomic():
        Upload.objects.select_for_update().get(pk=held.pk)
        worker = threading.Thread(target=work)
        worker.start()
        worker.join(timeout=10)
    assert claimed[0] is not None
    assert claimed[0].pk == free.pk


def test_a_job_goes_through_its_stages_in_order(upload: Upper) -> None:
    upload()
    job = jobs.claim()
    assert job is not None
    for stage in (State.EXTRACTING, State.ENCODING, State.SEARCHING):
        jobs.advance(job, stage)
        assert Upload.objects.get().state == stage


def test_a_stage_cannot_be_skipped(upload: Upper) -> None:
    job = upload(State.DECODING)
    with pytest.raises(ValueError, match="not followed by"):
        jobs.advance(job, State.SEARCHING)


@pytest.mark.parametrize("change", [{"attempt": 2}, {"state": State.QUEUED}])
def test_an_advance_after_the_job_was_lost_changes_nothing(
    upload: Upper, change: dict[str, Any]
) -> None:
    job = upload(State.DECODING)
    Upload.objects.update(**change)
    before = Upload.objects.values().get()
    with pytest.raises(jobs.JobLost):
        jobs.advance(job, State.EXTRACTING)
    assert Upload.objects.values().get() == before


def test_an_advance_of_a_deleted_upload_says_that_it_is_lost(upload: Upper) -> None:
    job = upload(State.DECODING)
    Upload.objects.all().delete()
    with pytest.raises(jobs.JobLost):
        jobs.advance(job, State.EXTRACTING)


def test_finishing_writes_the_matches_in_their_order(upload: Upper, tracks: list[Track]) -> None:
    job = upload(State.SEARCHING)
    jobs.finish(job, [Found(tracks[2]), Found(tracks[0])], duration=20.0)
    done = Upload.objects.get()
    assert (done.state, done.duration) == (State.FINISHED, 20.0)
    assert [(m.rank, m.track) for m in done.matches.all()] == [(1, tracks[2]), (2, tracks[0])]
    assert done.matches.all()[0].spans == [{"query": [1.0, 2.0], "match": [3.0, 4.0]}]


def test_finishing_keeps_the_reasons_and_what_was_heard(upload: Upper, tracks: list[Track]) -> None:
    tempo = {"code": "tempo", "yours": 120.0, "theirs": 121.0, "strength": 0.98}
    heard = {"encoding": b"codes", "peaks": b"waveform", "strip": b"picture"}
    found = [Found(tracks[0], reasons=(tempo,)), Found(tracks[1])]
    jobs.finish(upload(State.SEARCHING), found, duration=20.0, **heard)
    done = Upload.objects.get()
    assert [match.reasons for match in done.matches.all()] == [[tempo], []]
    assert {name: bytes(getattr(done, name)) for name in Upload.BULKY} == heard


def test_queueing_again_forgets_what_was_heard_by_the_version_of_before(answered: Upload) -> None:
    Upload.objects.update(encoding=b"codes", peaks=b"waveform", strip=b"picture")
    assert jobs.queue_again(answered)
    waiting = Upload.objects.get()
    assert [getattr(waiting, name) for name in Upload.BULKY] == [None, None, None]


def test_finishing_after_the_job_was_lost_writes_no_match(
    upload: Upper, tracks: list[Track]
) -> None:
    job = upload(State.SEARCHING)
    Upload.objects.update(attempt=2)
    with pytest.raises(jobs.JobLost):
        jobs.finish(job, [Found(tracks[0])], duration=20.0)
    assert not Match.objects.exists()
    assert Upload.objects.get().state == State.SEARCHING


def test_a_track_deleted_during_the_search_is_left_out(upload: Upper, tracks: list[Track]) -> None:
    job = upload(State.SEARCHING)
    Track.objects.filter(pk=tracks[0].pk).delete()
    jobs.finish(job, [Found(tracks[0]), Found(tracks[1])], duration=20.0)
    assert [(m.rank, m.track) for m in Match.objects.all()] == [(1, tracks[1])]


def test_when_every_found_track_was_deleted_the_job_does_not_finish(
    upload: Upper, tracks: list[Track]
) -> None:
    job = upload(State.SEARCHING)
    Track.objects.all().delete()
    with pytest.raises(MatchError, match="empty-catalogue"):
        jobs.finish(job, [Found(tracks[0])], duration=20.0)
    assert Upload.objects.get().state == State.SEARCHING


@pytest.mark.parametrize("state", RUNNING)
def test_a_job_can_fail_in_any_stage(upload: Upper, state: State) -> None:
    assert jobs.fail(upload(state), "damaged", "what the decoder said")
    failed = Upload.objects.get()
    assert (failed.state, failed.error_code) == (State.FAILED, "damaged")
    assert failed.error_detail == "what the decoder said"
    assert failed.finished_at


def test_a_worker_cannot_fail_a_job_that_is_no_longer_its_own(upload: Upper) -> None:
    job = upload(State.ENCODING)
    Upload.objects.update(attempt=2)
    assert not jobs.fail(job, "internal")
    assert Upload.objects.get().state == State.ENCODING


def test_a_heartbeat_is_written_only_for_the_own_attempt(upload: Upper) -> None:
    job = upload(State.ENCODING, heartbeat_at=ago(100))
    assert not jobs.beat(job.pk, attempt=2)
    assert jobs.beat(job.pk, attempt=1)
    assert Upload.objects.get().heartbeat_at > ago(10)


def test_a_silent_job_waits_again_and_is_claimed_as_a_new_attempt(upload: Upper) -> None:
    silent = upload(State.ENCODING, heartbeat_at=ago(100))
    assert jobs.give_back_silent() == [silent.pk]
    claimed = jobs.claim()
    assert claimed is not None
    assert (claimed.pk, claimed.attempt) == (silent.pk, 2)


def test_a_silent_job_without_attempts_left_fails_as_lost(upload: Upper) -> None:
    upload(State.ENCODING, heartbeat_at=ago(100), attempt=3, attempts_left=0)
    assert jobs.give_back_silent() == []
    lost = Upload.objects.get()
    assert (lost.state, lost.error_code) == (State.FAILED, "worker-lost")


def test_a_job_whose_heart_beats_is_left_alone(upload: Upper) -> None:
    upload(State.ENCODING)
    assert jobs.give_back_silent() == []
    assert Upload.objects.get().state == State.ENCODING


def test_a_job_is_claimed_three_times_and_no_more(upload: Upper) -> None:
    upload()
    for _ in range(3):
        assert jobs.claim() is not None
        Upload.objects.update(heartbeat_at=ago(100))
        jobs.give_back_silent()
    assert jobs.claim() is None
    assert Upload.objects.get().error_code == "worker-lost"


def test_queueing_again_renews_the_attempts_but_never_turns_the_fence_back(
    answered: Upload,
) -> None:
    Upload.objects.update(attempt=3, attempts_left=0)
    answered.refresh_from_db()
    assert jobs.queue_again(answered)
    waiting = Upload.objects.get()
    assert (waiting.state, waiting.attempt, waiting.attempts_left) == (State.QUEUED, 3, 3)
    assert not waiting.matches.exists()


def test_a_job_that_has_not_ended_is_not_queued_again(upload: Upper) -> None:
    assert not jobs.queue_again(upload(State.ENCODING))
    assert Upload.objects.get().state == State.ENCODING


@pytest.mark.parametrize(
    "change",
    [
        {"state": "DREAMING"},
        {"state": State.FAILED, "finished_at": timezone.now(), "error_code": ""},
        {"error_code": "internal"},
        {"state": State.ENCODING},
        {"finished_at": timezone.now()},
        {"state": State.FINISHED, "finished_at": timezone.now()},
        {"size": 0},
    ],
    ids=lambda change: "-".join(map(str, change)),
)
def test_the_database_refuses_a_row_that_makes_no_sense(
    upload: Upper, change: dict[str, Any]
) -> None:
    row = upload()
    with pytest.raises(IntegrityError), transaction.atomic():
        Upload.objects.filter(pk=row.pk).update(**change)


def test_the_database_refuses_a_second_match_of_one_rank(answered: Upload) -> None:
    match = answered.matches.all()[2]
    with pytest.raises(IntegrityError), transaction.atomic():
        Match.objects.filter(pk=match.pk).update(rank=1)
