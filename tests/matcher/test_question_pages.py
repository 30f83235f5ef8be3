"""Asking without a file from the pages, with forms alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from matcher import services
from matcher.errors import TEXTS
from matcher.models import State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.sounds import tone
from tracks.filters import Filters
from tracks.models import Track

pytestmark = pytest.mark.django_db


def page_of(client: Client, upload: Upload) -> str:
    return client.get(upload.get_absolute_url()).content.decode()


def asked(upload: Upload) -> Upload:
    """The one question about an upload."""
    return Upload.objects.get(parent=upload)


def finished(question: Upload, upload: Upper, answered: Upload) -> Upload:
    """The question with the answer of another upload."""
    answered.matches.update(upload=question)
    fields = {"state": State.FINISHED, "finished_at": answered.finished_at, "duration": 20.0}
    Upload.objects.filter(pk=question.pk).update(
        model_version=answered.model_version, attempt=1, **fields
    )
    return Upload.objects.get(pk=question.pk)


# --- about an upload -----------------------------------------------------------------------


def test_an_answer_offers_the_filters_that_the_catalogue_has_and_a_stretch_of_ones_own(
    owner_client: Client, answered: Upload
) -> None:
    page = page_of(owner_client, answered)
    assert f'action="/uploads/{answered.pk}/ask/"' in page
    assert '<option value="A game">A game</option>' in page
    assert '<option value="CC0-1.0">CC0-1.0</option>' in page
    for name in ("tempo_from", "tempo_to", "seconds_from", "seconds_to", "start", "end"):
        assert f'name="{name}"' in page
    assert "Yours lasts 0:20." in page


@pytest.mark.parametrize("state", [State.QUEUED, State.ENCODING, State.FAILED])
def test_only_an_answer_can_be_asked_about(
    owner_client: Client, upload: Upper, state: State
) -> None:
    assert "/ask/" not in page_of(owner_client, upload(state))


def test_filters_and_a_stretch_become_a_question(owner_client: Client, answered: Upload) -> None:
    form = {"genre": "Rock", "tempo_from": "90", "seconds_to": "", "start": "", "end": "9.5"}
    response = owner_client.post(f"/uploads/{answered.pk}/ask/", form)
    question = asked(answered)
    assert response["Location"] == question.get_absolute_url()
    assert question.question == {
        "filters": {"genre": "Rock", "tempo_from": 90.0},
        "span": [0.0, 9.5],
    }


def test_an_end_left_empty_is_the_end_of_the_piece(owner_client: Client, answered: Upload) -> None:
    owner_client.post(f"/uploads/{answered.pk}/ask/", {"start": "10"})
    assert asked(answered).question == {"span": [10.0, 20.0]}


def test_asking_for_nothing_leads_back_to_the_plain_answer(
    owner: Any, owner_client: Client, answered: Upload
) -> None:
    question = services.ask(owner, parent=answered, filters=Filters(genre="Rock"))
    for upload in (answered, question):
        response = owner_client.post(f"/uploads/{upload.pk}/ask/", {"genre": ""})
        assert response["Location"] == answered.get_absolute_url()
    assert Upload.objects.count() == 2


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"tempo_from": "fast"}, "bad-filters"),
        ({"tempo_from": "100", "tempo_to": "90"}, "bad-filters"),
        ({"start": "9", "end": "3"}, "bad-span"),
        ({"start": "nan"}, "bad-span"),
        ({"start": "3", "end": "6"}, "short-span"),
    ],
)
def test_what_cannot_be_asked_is_said_on_the_page_it_was_asked_from(
    owner_client: Client, answered: Upload, form: dict[str, str], code: str
) -> None:
    response = owner_client.post(f"/uploads/{answered.pk}/ask/", form, follow=True)
    assert response.redirect_chain[-1][0] == answered.get_absolute_url()
    assert str(TEXTS[code].title) in response.content.decode()
    assert Upload.objects.count() == 1


def test_a_stranger_cannot_ask_about_it(
    stranger_client: Client, client: Client, answered: Upload
) -> None:
    assert stranger_client.post(f"/uploads/{answered.pk}/ask/").status_code == 404
    assert client.post(f"/uploads/{answered.pk}/ask/").status_code == 302
    assert Upload.objects.count() == 1


def test_the_answer_of_a_question_says_what_was_asked_and_offers_it_again(
    owner: Any, owner_client: Client, answered: Upload, upload: Upper
) -> None:
    filters = Filters(soundtrack="A game", tempo_from=90)
    question = services.ask(owner, parent=answered, span=(2, 12), filters=filters)
    page = page_of(owner_client, finished(question, upload, answered))
    words = "Between 0:02 and 0:12 of yours · among tracks of A game, with at least 90 bpm"
    assert f'<p class="asked">{words}</p>' in page
    assert f'<a href="{answered.get_absolute_url()}">song.mp3</a>' in page
    assert '<option value="A game" selected>' in page
    assert 'name="tempo_from" value="90' in page
    assert 'name="start" value="2' in page


def test_the_player_of_a_question_plays_the_upload_that_it_is_about(
    owner: Any, owner_client: Client, upload: Upper
) -> None:
    sound = tone(1)
    answered = upload(State.FINISHED, content=sound)
    question = services.ask(owner, parent=answered)
    response = owner_client.get(f"/uploads/{question.pk}/audio/")
    assert b"".join(response) == sound


def test_a_question_that_nothing_fits_can_be_changed_where_it_failed(
    owner: Any, owner_client: Client, answered: Upload
) -> None:
    question = services.ask(owner, parent=answered, filters=Filters(artist="An artist"))
    Upload.objects.filter(pk=question.pk).update(
        state=State.FAILED, error_code="nothing-fits", finished_at=answered.finished_at
    )
    page = page_of(owner_client, question)
    assert "Among tracks by An artist" in page
    assert f'action="/uploads/{question.pk}/ask/"' in page
    assert '<option value="An artist" selected>' in page


# --- about tracks --------------------------------------------------------------------------


def test_find_similar_asks_about_one_track(owner_client: Client, tracks: list[Track]) -> None:
    response = owner_client.post(f"/catalogue/{tracks[0].pk}/similar/")
    question = Upload.objects.get()
    assert response["Location"] == question.get_absolute_url()
    assert question.question == {"like": [tracks[0].pk]}


def test_find_similar_needs_a_sign_in_and_a_track(
    client: Client, owner_client: Client, tracks: list[Track]
) -> None:
    assert client.post(f"/catalogue/{tracks[0].pk}/similar/").status_code == 302
    assert owner_client.post("/catalogue/999999/similar/").status_code == 404
    assert not Upload.objects.exists()


def pick(client: Client, like: list[Track], unlike: list[Track]) -> None:
    for side, tracks in (("like", like), ("unlike", unlike)):
        for track in tracks:
            client.post("/catalogue/pick/", {side: track.pk})


def test_picked_tracks_are_reviewed_and_asked_about_together(
    owner_client: Client, tracks: list[Track]
) -> None:
    assert "Nothing picked yet" in owner_client.get("/seeds/").content.decode()
    pick(owner_client, tracks[:2], tracks[2:])
    page = owner_client.get("/seeds/").content.decode()
    for track in tracks:
        assert track.title in page
    owner_client.post("/seeds/", {"licence": "CC0-1.0"})
    assert Upload.objects.get().question == {
        "like": [tracks[0].pk, tracks[1].pk],
        "unlike": [tracks[2].pk],
        "filters": {"licence": "CC0-1.0"},
    }


def test_a_visitor_can_pick_signs_in_and_finds_the_picked_tracks_again(
    client: Client, owner: Any, tracks: list[Track]
) -> None:
    pick(client, tracks[:1], [])
    assert 'href="/accounts/login/?next=/seeds/"' in client.get("/seeds/").content.decode()
    assert client.post("/seeds/")["Location"] == "/accounts/login/?next=/seeds/"
    assert not Upload.objects.exists()
    form = {"login": "olivia", "password": "owners-pass-1"}
    signed_in = client.post("/accounts/login/?next=/seeds/", form, follow=True)
    assert tracks[0].title in signed_in.content.decode()
    assert "Find what fits" in signed_in.content.decode()


def test_without_a_track_to_be_like_nothing_can_be_asked(
    owner_client: Client, tracks: list[Track]
) -> None:
    pick(owner_client, [], tracks[:1])
    assert "At least one track to be like" in owner_client.get("/seeds/").content.decode()
    page = owner_client.post("/seeds/", follow=True).content.decode()
    assert str(TEXTS["nothing-asked"].title) in page


def test_a_filter_that_is_no_number_is_refused_on_the_page_of_the_picked_tracks(
    owner_client: Client, tracks: list[Track]
) -> None:
    pick(owner_client, tracks[:1], [])
    page = owner_client.post("/seeds/", {"tempo_to": "slow"}, follow=True).content.decode()
    assert str(TEXTS["bad-filters"].title) in page


def test_a_picked_track_that_was_withdrawn_is_no_longer_there(
    owner_client: Client, tracks: list[Track]
) -> None:
    pick(owner_client, tracks[:2], [])
    Track.objects.filter(pk=tracks[0].pk).update(audio="", withdrawn_at="2026-01-01T00:00Z")
    assert tracks[0].title not in owner_client.get("/seeds/").content.decode()


def test_the_answer_about_tracks_has_their_links_and_no_player_of_an_upload(
    owner: Any, owner_client: Client, answered: Upload, upload: Upper, tracks: list[Track]
) -> None:
    question = services.ask(owner, like=tracks[1:], unlike=tracks[:1])
    page = page_of(owner_client, finished(question, upload, answered))
    assert "Like “Piece 1” and “Piece 2” · unlike “Piece 0”" in page
    for track in tracks:
        assert f'<a href="{track.get_absolute_url()}">{track.title}</a>' in page
    assert f"/uploads/{question.pk}/audio/" not in page
    assert 'name="start"' not in page
    assert owner_client.get(f"/uploads/{question.pk}/audio/").status_code == 404
