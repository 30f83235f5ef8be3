"""The list of a person's uploads: how it follows jobs, what each row offers, emptying it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from matcher import jobs
from matcher.models import RUNNING, Match, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.test_services import kept_files
from tracks.models import ModelVersion, Track
from tracks.services import versions

LIVE = "/uploads/live/"
Commits = Callable[..., Any]


def mine(client: Client, path: str = "/uploads/") -> str:
    return client.get(path).content.decode()


def seen(client: Client) -> str:
    """What the list that is shown would say it has seen."""
    return mine(client).partition('data-version="')[2].partition('"')[0]


# --- following -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.QUEUED, *RUNNING])
def test_the_list_asks_for_itself_while_something_is_under_way(
    owner_client: Client, upload: Upper, state: State
) -> None:
    upload(state)
    page = mine(owner_client)
    assert 'hx-trigger="every 1000ms"' in page
    assert f'<li data-state="{state}">' in page
    assert "1 under way" in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page


@pytest.mark.parametrize("state", [State.FINISHED, State.FAILED])
def test_a_list_in_which_everything_has_ended_asks_for_nothing(
    owner_client: Client, upload: Upper, state: State
) -> None:
    upload(state)
    page = mine(owner_client)
    assert "hx-get" not in page
    assert "http-equiv" not in page


def test_a_poll_is_answered_by_nothing_until_a_state_changes(
    owner_client: Client, upload: Upper
) -> None:
    row = upload(State.DECODING)
    before = seen(owner_client)
    assert owner_client.get(LIVE, {"seen": before}).status_code == 204
    jobs.advance(row, State.EXTRACTING)
    response = owner_client.get(LIVE, {"seen": before})
    assert response.status_code == 200
    assert '<li data-state="EXTRACTING">' in response.content.decode()


def test_polling_ends_with_286_when_the_last_one_has_ended(
    owner_client: Client, upload: Upper
) -> None:
    row, other = upload(State.DECODING), upload(State.ENCODING)
    jobs.fail(row, "damaged")
    assert owner_client.get(LIVE).status_code == 200
    jobs.fail(other, "damaged")
    response = owner_client.get(LIVE)
    assert response.status_code == 286
    assert "Nothing is under way any more." in response.content.decode()
    assert "hx-get" not in response.content.decode()


@pytest.mark.parametrize(("age", "seconds"), [(0, 1), (16, 2), (61, 5), (301, 10), (86_400, 10)])
def test_polling_backs_off_but_never_beyond_ten_seconds(
    owner_client: Client, upload: Upper, age: int, seconds: int
) -> None:
    upload(queued_at=timezone.now() - timedelta(seconds=age))
    assert f'hx-trigger="every {1000 * seconds}ms"' in mine(owner_client)


def test_the_newest_job_sets_the_pace(owner_client: Client, upload: Upper) -> None:
    upload(queued_at=timezone.now() - timedelta(hours=1))
    upload()
    assert 'hx-trigger="every 1000ms"' in mine(owner_client)


def test_a_poll_shows_the_page_that_is_open(owner_client: Client, upload: Upper) -> None:
    for number in range(21):
        upload(original_name=f"song {number}.mp3", created_at=ago(minutes=number))
    assert f'hx-get="{LIVE}?page=2&amp;seen=' in mine(owner_client, "/uploads/?page=2")
    polled = mine(owner_client, f"{LIVE}?page=2")
    assert "song 20.mp3" in polled
    assert "song 0.mp3" not in polled


def ago(**length: float) -> Any:
    return timezone.now() - timedelta(**length)


def test_a_poll_without_a_sign_in_tells_the_page_to_load_itself_again(
    client: Client, upload: Upper
) -> None:
    upload()
    response = client.get(LIVE)
    assert (response.status_code, response["HX-Refresh"]) == (404, "true")


def test_a_poll_shows_nobody_elses_uploads(stranger_client: Client, upload: Upper) -> None:
    upload(original_name="olivias.mp3")
    assert "olivias.mp3" not in mine(stranger_client, LIVE)


def test_the_list_takes_the_same_few_queries_however_long_it_is(
    owner_client: Client,
    upload: Upper,
    tracks: list[Track],
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    for _ in range(10):
        row = upload(State.FINISHED)
        for rank, track in enumerate(tracks, start=1):
            Match.objects.create(upload=row, rank=rank, track=track, score=50, distance=1)
    with django_assert_max_num_queries(8):
        mine(owner_client)


# --- rows ----------------------------------------------------------------------------------


def test_a_row_says_what_it_sounds_like(owner_client: Client, answered: Upload) -> None:
    assert "Sounds like Piece 0 · A game" in mine(owner_client)


def test_a_row_whose_tracks_are_gone_says_so(owner_client: Client, answered: Upload) -> None:
    Track.objects.all().delete()
    assert "The tracks we found are gone" in mine(owner_client)


def test_a_failed_row_says_why_and_can_be_tried_again_where_that_may_help(
    owner_client: Client, upload: Upper
) -> None:
    ours = upload(State.FAILED, error_code="worker-lost")
    theirs = upload(State.FAILED, error_code="damaged")
    page = mine(owner_client)
    assert "The job was lost on the way" in page
    assert "no sound could be read from it" in page
    assert f'action="/uploads/{ours.pk}/again/"' in page
    assert f'action="/uploads/{theirs.pk}/again/"' not in page


def test_an_older_answer_can_be_matched_again_from_the_list(
    owner_client: Client, answered: Upload, second: ModelVersion
) -> None:
    words = ">Match again with the newest version</button>"
    assert words not in mine(owner_client)
    versions.activate(second)
    assert words in mine(owner_client)
    back = "/uploads/?page=1"
    response = owner_client.post(f"/uploads/{answered.pk}/again/", {"next": back})
    assert response["Location"] == back
    assert Upload.objects.get().state == State.QUEUED


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", ""])
def test_matching_again_returns_to_no_other_site(
    owner_client: Client, answered: Upload, back: str
) -> None:
    response = owner_client.post(f"/uploads/{answered.pk}/again/", {"next": back})
    assert response["Location"] == f"/uploads/{answered.pk}/"


def test_a_question_without_a_file_says_what_it_is_about(
    owner_client: Client, answered: Upload, upload: Upper
) -> None:
    question(answered)
    page = mine(owner_client)
    assert "asked about song.mp3" in page
    assert "0 bytes" not in page
    assert "1 question that was asked about it goes with it" in mine(
        owner_client, f"/uploads/{answered.pk}/delete/"
    )


def question(parent: Upload) -> Upload:
    return Upload.objects.create(
        owner=parent.owner, parent=parent, original_name="Seconds 3 to 9", size=0
    )


# --- emptying ------------------------------------------------------------------------------


def test_deleting_all_says_how_many_first_and_keeps_them(
    owner_client: Client, answered: Upload, upload: Upper
) -> None:
    upload(State.ENCODING)
    page = mine(owner_client, "/uploads/delete/")
    assert "Delete all 2 uploads?" in page
    assert "1 of them is still under way; it stops." in page
    assert Upload.objects.count() == 2


def test_deleting_all_removes_rows_and_files_and_stops_what_runs(
    owner_client: Client,
    answered: Upload,
    upload: Upper,
    stranger: Any,
    settings: Any,
    django_capture_on_commit_callbacks: Commits,
) -> None:
    question(answered)
    running = upload(State.ENCODING)
    others = upload(owner=stranger)
    with django_capture_on_commit_callbacks(execute=True):
        response = owner_client.post("/uploads/delete/", follow=True)
    assert "3 uploads were deleted, with their files and answers." in response.content.decode()
    assert "Nothing here yet" in response.content.decode()
    assert list(Upload.objects.all()) == [others]
    assert not Match.objects.exists()
    uploads = Path(settings.MEDIA_ROOT) / "uploads"
    assert [path for path in kept_files(settings) if path.is_relative_to(uploads)] == [
        Path(others.audio.path)
    ]
    with pytest.raises(jobs.JobLost):
        jobs.advance(running, State.SEARCHING)


def test_a_file_that_cannot_be_deleted_does_not_keep_the_others(
    owner_client: Client,
    upload: Upper,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Commits,
) -> None:
    stuck, other = upload(created_at=ago(hours=1)), upload()
    path = Path(stuck.audio.path)
    path.unlink()
    path.mkdir()
    (path / "inside").touch()
    with django_capture_on_commit_callbacks(execute=True):
        owner_client.post("/uploads/delete/")
    assert not Upload.objects.exists()
    assert not Path(other.audio.path).exists()


def test_there_is_nothing_to_ask_where_there_is_nothing_to_delete(owner_client: Client) -> None:
    for response in (owner_client.get("/uploads/delete/"), owner_client.post("/uploads/delete/")):
        assert response["Location"] == "/uploads/"


def test_whoever_deletes_a_person_deletes_the_files_too(
    administrator_client: Client,
    owner: Any,
    upload: Upper,
    settings: Any,
    django_capture_on_commit_callbacks: Commits,
) -> None:
    upload()
    with django_capture_on_commit_callbacks(execute=True):
        administrator_client.post(f"/admin/auth/user/{owner.pk}/delete/", {"post": "yes"})
    assert not Upload.objects.exists()
    assert kept_files(settings) == []
