"""What the worker does with a claimed upload, and with what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from matcher import jobs, matching, tasks
from matcher.models import ENDED, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.sounds import silence, tone
from tests.matcher.test_jobs import Found
from tracks.models import ModelVersion, Track
from tracks.selectors import active_version
from tracks.services import versions

SILENT = datetime(2026, 1, 1, tzinfo=UTC)


def run_next() -> Upload:
    tasks.match_upload("an id that nobody looks at")
    return Upload.objects.get()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Dear diary, today I was renamed to .mp3", "not-audio"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt garbage that only begins like a wave file", "damaged"),
        (silence(6), "silent"),
        (tone(1), "too-short"),
        (tone(8), "too-long"),
    ],
    ids=["not-audio", "damaged", "silent", "too-short", "too-long"],
)
def test_a_file_that_cannot_be_used_ends_with_its_own_code(
    upload: Upper, settings: Any, content: bytes, code: str
) -> None:
    settings.UPLOAD_MIN_SECONDS, settings.UPLOAD_MAX_SECONDS = 2, 7
    upload(content=content)
    failed = run_next()
    assert (failed.state, failed.error_code) == (State.FAILED, code)


def test_without_an_active_model_the_job_ends_with_our_code(
    upload: Upper, version: ModelVersion
) -> None:
    upload(content=tone(6))
    version.state = ModelVersion.State.RETIRED
    version.save()
    assert run_next().error_code == "no-model"


def test_a_model_whose_folder_is_gone_ends_with_our_code(upload: Upper) -> None:
    upload(content=tone(6))
    assert run_next().error_code == "artefact-missing"


def test_a_file_that_the_storage_has_lost_ends_with_our_code(upload: Upper) -> None:
    row = upload()
    row.audio.storage.delete(row.audio.name)
    assert run_next().error_code == "file-missing"


def answering(what: BaseException | Callable[[], Any]) -> Callable[..., Any]:
    """A stand-in for the search: raises, or does something and answers."""

    def match_file(*_args: Any, **_kwargs: Any) -> Any:
        if isinstance(what, BaseException):
            raise what
        return what()

    return match_file


def test_a_job_at_its_time_limit_ends_with_our_code(
    upload: Upper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "match_file", answering(SoftTimeLimitExceeded()))
    upload()
    failed = run_next()
    assert (failed.error_code, failed.error_detail) == ("time-limit", "stopped in DECODING")


def test_an_unexpected_error_is_kept_for_administrators_and_logged(
    upload: Upper, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(matching, "match_file", answering(RuntimeError("the moon fell down")))
    upload()
    failed = run_next()
    assert failed.error_code == "internal"
    assert failed.error_detail == "RuntimeError: the moon fell down"
    assert "the moon fell down" in caplog.text


@pytest.mark.parametrize("gone", [OperationalError("refused"), InterfaceError("closed")])
def test_a_job_whose_database_went_away_is_left_to_the_next_worker(
    upload: Upper, monkeypatch: pytest.MonkeyPatch, gone: Exception
) -> None:
    monkeypatch.setattr(matching, "match_file", answering(gone))
    upload()
    left = run_next()
    assert (left.state, left.error_code) == (State.DECODING, "")
    Upload.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    assert jobs.give_back_silent() == [left.pk]


def test_a_statement_that_the_database_refuses_ends_the_job(
    upload: Upper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow() -> Any:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(10)")

    monkeypatch.setattr(matching, "match_file", answering(too_slow))
    upload()
    assert run_next().error_code == "internal"


def test_an_upload_that_takes_every_worker_with_it_is_tried_three_times_and_harms_no_other(
    upload: Upper, stranger: Any, tracks: list[Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What kill -9 leaves of a job: no code of ours sees its end."""

    def deadly(path: Path, *_: Any, **__: Any) -> matching.Answer:
        if path.read_bytes() == b"poison":
            raise Killed
        return matching.Answer(duration=10.0, found=[Found(tracks[0])])

    monkeypatch.setattr(matching, "match_file", deadly)
    poison = upload(content=b"poison")
    others = [upload(owner=stranger, content=b"song %d" % number) for number in range(3)]
    deaths = 0
    while Upload.objects.exclude(state__in=ENDED).exists():
        try:
            tasks.match_upload("an id")
        except Killed:
            deaths += 1
            Upload.objects.filter(pk=poison.pk).update(heartbeat_at=SILENT)
            jobs.give_back_silent()
    poison.refresh_from_db()
    assert deaths == 3
    assert (poison.state, poison.error_code) == (State.FAILED, "worker-lost")
    assert {Upload.objects.get(pk=one.pk).state for one in others} == {State.FINISHED}


def test_a_worker_that_lost_its_job_stops_and_changes_nothing(
    upload: Upper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_it() -> Any:
        Upload.objects.update(attempt=2)
        return matching.Answer(duration=10.0, found=[])

    monkeypatch.setattr(matching, "match_file", answering(lose_it))
    upload()
    lost = run_next()
    assert (lost.state, lost.attempt, lost.error_code) == (State.DECODING, 2, "")


def test_a_match_that_runs_keeps_the_version_that_it_started_with(
    upload: Upper,
    tracks: list[Track],
    version: ModelVersion,
    second: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = []

    def activate_meanwhile(_path: Any, given: ModelVersion, **_more: Any) -> matching.Answer:
        versions.activate(second)
        used.append(given)
        return matching.Answer(duration=10.0, found=[Found(tracks[0])])

    monkeypatch.setattr(matching, "match_file", activate_meanwhile)
    upload()
    done = run_next()
    assert (done.state, done.model_version, used) == (State.FINISHED, version, [version])
    assert active_version() == second


def test_an_upload_deleted_while_it_is_worked_on_does_not_come_back(
    upload: Upper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_it() -> Any:
        Upload.objects.all().delete()
        raise RuntimeError("the file is gone")

    monkeypatch.setattr(matching, "match_file", answering(delete_it))
    upload()
    tasks.match_upload("an id")
    assert not Upload.objects.exists()


def test_a_nudge_that_comes_twice_does_no_work_twice(upload: Upper) -> None:
    upload(content=b"no sound")
    run_next()
    attempt = run_next().attempt
    assert attempt == 1


def test_the_sweep_gives_back_what_fell_silent_and_nudges_for_it(
    upload: Upper, messages: Callable[[], int]
) -> None:
    upload(State.ENCODING, heartbeat_at=timezone.now() - timedelta(minutes=2))
    tasks.sweep_uploads()
    assert Upload.objects.get().state == State.QUEUED
    assert messages() == 1
    assert jobs.claim() is not None
