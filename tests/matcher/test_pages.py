"""The pages of a person's own uploads: who may see them, what they say, how they follow a job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from matcher import jobs
from matcher.errors import TEXTS, Family
from matcher.models import RUNNING, Match, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.sounds import tone
from tracks.models import ModelVersion, Track
from tracks.services import versions

JOB_CODES = [code for code in TEXTS if code not in ("missing", "empty-file", "too-large")]
PAGES = ("", "status/", "audio/", "delete/")


def url(upload: Upload, page: str = "") -> str:
    return f"/uploads/{upload.pk}/{page}"


# --- who may see what ----------------------------------------------------------------------


@pytest.mark.parametrize("place", PAGES)
def test_the_owner_sees_the_own_upload(owner_client: Client, answered: Upload, place: str) -> None:
    response = owner_client.get(url(answered, place))
    response.close()
    assert response.status_code in (200, 286)


@pytest.mark.parametrize("place", PAGES)
@pytest.mark.parametrize("person", ["stranger_client", "administrator_client"])
def test_nobody_else_sees_it_on_the_site_not_even_an_administrator(
    request: pytest.FixtureRequest, answered: Upload, person: str, place: str
) -> None:
    client: Client = request.getfixturevalue(person)
    assert client.get(url(answered, place)).status_code == 404


@pytest.mark.parametrize("place", ["delete/", "again/"])
def test_a_stranger_can_neither_delete_nor_repeat_it(
    stranger_client: Client, answered: Upload, place: str
) -> None:
    assert stranger_client.post(url(answered, place)).status_code == 404
    assert Upload.objects.get().state == State.FINISHED


@pytest.mark.parametrize("path", ["/uploads/", "/uploads/new/"])
def test_uploading_needs_a_sign_in(client: Client, db: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("place", ["", "audio/", "delete/"])
def test_an_anonymous_visitor_is_asked_to_sign_in(
    client: Client, answered: Upload, place: str
) -> None:
    assert client.get(url(answered, place)).status_code == 302


def test_a_poll_without_a_sign_in_tells_the_page_to_load_itself_again(
    client: Client, answered: Upload
) -> None:
    response = client.get(url(answered, "status/"))
    assert (response.status_code, response["HX-Refresh"]) == (404, "true")


def test_the_list_shows_only_the_own_uploads_newest_first(
    owner_client: Client, upload: Upper, stranger: Any
) -> None:
    upload(original_name="older.mp3", created_at=timezone.now() - timedelta(hours=1))
    upload(original_name="newer.mp3")
    upload(original_name="foreign.mp3", owner=stranger)
    page = owner_client.get("/uploads/").content.decode()
    assert page.index("newer.mp3") < page.index("older.mp3")
    assert "foreign.mp3" not in page


def test_a_long_list_comes_in_pages(owner_client: Client, upload: Upper) -> None:
    for number in range(21):
        upload(original_name=f"song {number}.mp3")
    assert "Page 1 of 2" in owner_client.get("/uploads/").content.decode()
    assert "Page 2 of 2" in owner_client.get("/uploads/?page=2").content.decode()


# --- following a job -----------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.QUEUED, *RUNNING])
def test_a_job_under_way_is_shown_with_its_state_and_polls(
    owner_client: Client, upload: Upper, state: State
) -> None:
    page = owner_client.get(url(upload(state))).content.decode()
    assert f'id="job" data-state="{state}" data-error=""' in page
    assert 'hx-trigger="every 100ms"' in page
    assert str(state.label) in page


def test_without_scripts_a_job_under_way_refreshes_its_page(
    owner_client: Client, upload: Upper
) -> None:
    page = owner_client.get(url(upload(State.ENCODING))).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page


@pytest.mark.parametrize("state", [State.FINISHED, State.FAILED])
def test_a_job_that_has_ended_neither_polls_nor_refreshes(
    owner_client: Client, upload: Upper, state: State
) -> None:
    page = owner_client.get(url(upload(state))).content.decode()
    assert "hx-get" not in page
    assert "http-equiv" not in page


@pytest.mark.parametrize("state", [State.FINISHED, State.FAILED])
def test_polling_ends_with_status_286(owner_client: Client, upload: Upper, state: State) -> None:
    response = owner_client.get(url(upload(state), "status/"))
    assert response.status_code == 286
    assert f'data-state="{state}"' in response.content.decode()


def test_a_poll_that_has_nothing_new_to_say_says_nothing(
    owner_client: Client, upload: Upper
) -> None:
    row = upload(State.ENCODING)
    response = owner_client.get(url(row, "status/?seen=DECODING-100"))
    assert response.status_code == 200
    assert owner_client.get(url(row, "status/?seen=ENCODING-100")).status_code == 204


@pytest.mark.parametrize(
    ("age", "pause"),
    [(0, 100), (4, 1000), (14, 1000), (16, 2000), (61, 5000), (301, 10_000), (86_400, 10_000)],
)
def test_polling_backs_off_but_never_beyond_ten_seconds(
    owner_client: Client, upload: Upper, age: int, pause: int
) -> None:
    row = upload(queued_at=timezone.now() - timedelta(seconds=age))
    page = owner_client.get(url(row)).content.decode()
    assert f'hx-trigger="every {pause}ms"' in page


def test_a_waiting_upload_is_told_how_many_are_before_it(
    owner_client: Client, upload: Upper, stranger: Any
) -> None:
    for seconds in (20, 10):
        upload(owner=stranger, queued_at=timezone.now() - timedelta(seconds=seconds))
    upload()
    # The stranger's first, the owner's other one, the stranger's second.
    assert "3 files are before yours." in owner_client.get(url(upload())).content.decode()


# --- the answer ----------------------------------------------------------------------------


def test_the_answer_names_the_closest_track_for_people_and_for_programs(
    owner_client: Client, answered: Upload
) -> None:
    page = owner_client.get(url(answered)).content.decode()
    assert '<h1 class="answer-title">Piece 0</h1>' in page
    assert (
        'id="answer" data-title="Piece 0" data-artist="An artist" data-soundtrack="A game" '
        'data-score="60.00"'
    ) in page
    assert "Closer than the best match of 60 % of our own tracks" in page


def test_every_match_comes_with_its_facts_and_a_player(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    page = owner_client.get(url(answered)).content.decode()
    for track in tracks:
        assert f'src="/catalogue/{track.pk}/audio/"' in page
        assert track.title in page
    for fact in ("An artist", "A game", "CC0-1.0", "Debian package a-game-data"):
        assert page.count(f"{fact}<") >= 3


@pytest.mark.parametrize(
    ("score", "same", "words"),
    [
        (99.0, True, "Same recording."),
        (90.0, False, "Very close."),
        (50.0, False, "Close."),
        (5.0, False, "The best we have, but not close."),
    ],
)
def test_how_close_it_is_is_said_in_words(
    owner_client: Client, answered: Upload, score: float, same: bool, words: str
) -> None:
    Match.objects.filter(rank=1).update(score=score, same_recording=same)
    assert f"<strong>{words}</strong>" in owner_client.get(url(answered)).content.decode()


def test_titles_from_strangers_are_text_and_never_markup(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    Track.objects.filter(pk=tracks[0].pk).update(title='"><script>alert(1)</script>')
    Upload.objects.update(original_name="<b>bold</b>.mp3")
    page = owner_client.get(url(answered)).content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_when_the_closest_track_was_deleted_the_next_one_leads(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    tracks[0].delete()
    page = owner_client.get(url(answered)).content.decode()
    assert 'data-title="Piece 1"' in page


def test_when_all_tracks_were_deleted_the_page_offers_another_search(
    owner_client: Client, answered: Upload
) -> None:
    Track.objects.all().delete()
    page = owner_client.get(url(answered)).content.decode()
    assert 'data-state="FINISHED"' in page
    assert f'action="/uploads/{answered.pk}/again/"' in page


# --- failure -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", JOB_CODES)
def test_each_code_has_a_page_with_its_sentence_and_what_to_do(
    owner_client: Client, upload: Upper, code: str
) -> None:
    row = upload(State.FAILED, error_code=code, error_detail="secret: /a/path")
    page = owner_client.get(url(row)).content.decode()
    assert f'data-state="FAILED" data-error="{code}"' in page
    assert str(TEXTS[code].title) in page
    assert "%(" not in page
    assert "secret" not in page
    again = f'action="/uploads/{row.pk}/again/"' in page
    assert again == (TEXTS[code].family is Family.OURS and code != "file-missing")


def test_a_code_that_is_not_in_the_table_is_shown_as_our_fault(
    owner_client: Client, upload: Upper
) -> None:
    page = owner_client.get(url(upload(State.FAILED, error_code="brand-new"))).content.decode()
    assert 'data-error="brand-new"' in page
    assert str(TEXTS["internal"].title) in page


def test_trying_again_queues_the_upload_and_returns_to_its_page(
    owner_client: Client, upload: Upper
) -> None:
    row = upload(State.FAILED)
    response = owner_client.post(url(row, "again/"))
    assert response["Location"] == url(row)
    assert Upload.objects.get().state == State.QUEUED


def test_an_answer_of_an_older_version_can_be_matched_again_with_the_newest(
    owner_client: Client, answered: Upload, second: ModelVersion
) -> None:
    words = "Match again with the newest version"
    page = owner_client.get(url(answered)).content.decode()
    assert words not in page
    assert 'data-version="first"' in page
    versions.activate(second)
    assert words in owner_client.get(url(answered)).content.decode()
    owner_client.post(url(answered, "again/"))
    claimed = jobs.claim()
    assert claimed is not None
    assert (claimed.pk, claimed.model_version) == (answered.pk, second)


# --- files ---------------------------------------------------------------------------------


def test_the_owner_hears_the_own_file_and_can_seek_in_it(
    owner_client: Client, upload: Upper
) -> None:
    sound = tone(1)
    row = upload(content=sound, original_name="song.exe")
    response = owner_client.get(url(row, "audio/"), headers={"Range": "bytes=10-19"})
    assert response.status_code == 206
    assert b"".join(response) == sound[10:20]
    assert response["Content-Type"] == "audio/wav"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_what_is_not_audio_is_never_served_as_a_page(owner_client: Client, upload: Upper) -> None:
    row = upload(content=b"<script>alert(1)</script>", original_name="page.html")
    response = owner_client.get(url(row, "audio/"))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert b"".join(response) == b"<script>alert(1)</script>"


def test_the_audio_of_an_upload_whose_file_is_gone_is_not_found(
    owner_client: Client, upload: Upper
) -> None:
    row = upload()
    row.audio.storage.delete(row.audio.name)
    assert owner_client.get(url(row, "audio/")).status_code == 404


def test_deleting_asks_first_and_then_deletes(owner_client: Client, answered: Upload) -> None:
    assert "Delete this upload?" in owner_client.get(url(answered, "delete/")).content.decode()
    assert Upload.objects.exists()
    response = owner_client.post(url(answered, "delete/"), follow=True)
    assert not Upload.objects.exists()
    assert "was deleted" in response.content.decode()
