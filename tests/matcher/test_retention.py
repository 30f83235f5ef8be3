"""How long uploads are kept, and what is left of them afterwards: nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from matcher import retention, tasks
from matcher.models import Feedback, Share, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.test_account import everything
from tests.matcher.test_mine import Commits, question
from tests.matcher.test_services import kept_files
from tracks.models import Track

LONG_AGO = timezone.now() - timedelta(days=31)
LATELY = timezone.now() - timedelta(days=29)


def left() -> set[str]:
    return set(Upload.objects.values_list("original_name", flat=True))


def test_what_ended_too_long_ago_goes_with_its_file_and_nothing_else_goes(
    upload: Upper, answered: Upload, settings: Any, django_capture_on_commit_callbacks: Commits
) -> None:
    before, files = everything(), sorted(kept_files(settings))
    upload(State.FINISHED, finished_at=LONG_AGO)
    upload(State.FAILED, finished_at=LONG_AGO, error_code="damaged")
    with django_capture_on_commit_callbacks(execute=True):
        tasks.delete_expired()
    assert everything() == before
    assert sorted(kept_files(settings)) == files


def test_what_is_younger_or_under_way_stays(upload: Upper) -> None:
    upload(State.FINISHED, finished_at=LATELY, original_name="younger")
    upload(State.QUEUED, created_at=LONG_AGO, queued_at=LONG_AGO, original_name="waits")
    assert retention.delete_expired() == 0
    assert left() == {"younger", "waits"}


def test_the_time_is_a_setting(upload: Upper, settings: Any) -> None:
    settings.UPLOADS_KEPT_DAYS = 7
    upload(State.FINISHED, finished_at=LATELY)
    assert retention.delete_expired() == 1


def test_an_answer_that_an_open_link_shows_waits_for_its_end(upload: Upper) -> None:
    share = Share.objects.create(upload=upload(State.FINISHED, finished_at=LONG_AGO))
    assert retention.delete_expired() == 0
    Share.objects.filter(pk=share.pk).update(revoked_at=timezone.now())
    assert retention.delete_expired() == 1


def test_a_file_stays_as_long_as_a_later_question_about_it(upload: Upper) -> None:
    asked = question(upload(State.FINISHED, finished_at=LONG_AGO))
    assert retention.delete_expired() == 0
    failed = {"state": State.FAILED, "error_code": "internal", "finished_at": LONG_AGO}
    Upload.objects.filter(pk=asked.pk).update(**failed)
    assert retention.delete_expired() == 2


def test_what_a_person_said_of_a_match_is_kept_without_the_upload(
    answered: Upload, tracks: list[Track], owner: Any
) -> None:
    said = {"track": tracks[0], "model_version": answered.model_version, "verdict": "GOOD"}
    Feedback.objects.create(user=owner, upload=answered, **said)
    Upload.objects.update(finished_at=LONG_AGO)
    retention.delete_expired()
    assert Feedback.objects.get().upload is None


def test_the_pages_say_until_when(owner_client: Client, answered: Upload) -> None:
    for path in ("/account/", "/uploads/new/"):
        assert "deleted 30 days after the answer" in owner_client.get(path).content.decode()
    assert "Kept until" in owner_client.get(answered.get_absolute_url()).content.decode()


@pytest.mark.django_db
def test_counts_of_tries_are_forgotten_when_they_are_over() -> None:
    from matcher.api.tasks import forget

    with connection.cursor() as cursor:
        for key, age in (("over", "-1 minute"), ("counts", "1 minute")):
            cursor.execute(
                "INSERT INTO soundsite_cache VALUES (%s, 'x', now() + %s::interval)", [key, age]
            )
        forget()
        cursor.execute(
            "SELECT cache_key FROM soundsite_cache WHERE cache_key IN ('over', 'counts')"
        )
        assert cursor.fetchall() == [("counts",)]
