"""The same bytes once more from the same person: answered from what is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile

from matcher import services
from matcher.models import State, Upload
from tests.matcher.conftest import Upper
from tracks.models import ModelVersion, Track
from tracks.services import versions

CONTENT = b"sound"  # what the fixture `answered` was sent


def sent(person: Any, content: bytes = CONTENT) -> Upload:
    upload = services.create_upload(person, ContentFile(content, name="again.mp3"))
    upload.refresh_from_db()
    return upload


def places(upload: Upload) -> list[tuple[Any, ...]]:
    return list(upload.matches.values_list("rank", "track", "score", "distance", "spans"))


def test_a_file_sent_twice_is_answered_at_once_and_no_worker_hears_it_again(
    owner: Any,
    answered: Upload,
    messages: Callable[[], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    Upload.objects.filter(pk=answered.pk).update(encoding=b"codes", peaks=b"peaks", strip=b"strip")
    with django_capture_on_commit_callbacks(execute=True):
        again = sent(owner)
    assert (again.state, again.attempt, again.duration) == (State.FINISHED, 0, answered.duration)
    assert again.model_version == answered.model_version
    assert [bytes(getattr(again, name) or b"") for name in Upload.BULKY] == [
        b"codes",
        b"peaks",
        b"strip",
    ]
    assert places(again) == places(answered)
    assert messages() == 0
    assert again.audio.name != answered.audio.name


def test_its_page_and_its_job_show_that_answer(
    owner: Any, owner_client: Any, answered: Upload
) -> None:
    again = sent(owner)
    page = owner_client.get(again.get_absolute_url()).content.decode()
    assert "Piece 0" in page
    assert "again.mp3" in page


def test_what_was_answered_at_once_can_still_be_heard_anew(owner: Any, answered: Upload) -> None:
    again = sent(owner)
    assert services.queue_again(again)
    assert Upload.objects.get(pk=again.pk).state == State.QUEUED
    assert answered.matches.count() == 3


@pytest.mark.parametrize("state", [State.QUEUED, State.SEARCHING, State.FAILED])
def test_only_an_answer_answers(
    owner: Any, upload: Upper, tracks: list[Track], state: State
) -> None:
    upload(state, content=CONTENT)
    assert sent(owner).state == State.QUEUED


def test_somebody_elses_answer_is_not_given_away(stranger: Any, answered: Upload) -> None:
    assert sent(stranger).state == State.QUEUED


def test_other_bytes_and_another_version_are_heard(
    owner: Any, answered: Upload, second: ModelVersion
) -> None:
    assert sent(owner, b"other").state == State.QUEUED
    versions.activate(second)
    assert sent(owner).state == State.QUEUED


def test_an_answer_whose_tracks_are_all_gone_is_looked_for_again(
    owner: Any, answered: Upload
) -> None:
    answered.matches.all()[0].track.delete()
    assert [rank for rank, *_ in places(sent(owner))] == [2, 3]
    Track.objects.all().delete()
    assert sent(owner).state == State.QUEUED
