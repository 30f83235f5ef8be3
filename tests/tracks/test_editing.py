"""Texts are edited in bulk, licences suggested; every change is in the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.tracks.test_admin import TEXTS
from tests.tracks.test_withdrawal import LIST, history
from tracks import selectors
from tracks.models import Track

pytestmark = pytest.mark.django_db


def edit(*tracks: Track, **texts: str) -> dict[str, Any]:
    chosen = [track.pk for track in tracks]
    return {"action": "edit", "_selected_action": chosen, "sure": "yes", **texts}


def test_only_the_fields_that_were_filled_in_are_changed_in_all_chosen_tracks(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    one, two = add(1, artist="Ann", licence="GPL"), add(2, artist="Ben", licence="CC0-1.0")
    other = add(3)
    asked = administrator_client.post(LIST, edit(one, two) | {"sure": ""})
    assert asked.status_code == 200
    form = edit(one, two, licence="CC0-1.0", genre="Chiptune", year="1999")
    done = administrator_client.post(LIST, form, follow=True).content.decode()
    assert "2 tracks were changed" in done
    texts = Track.objects.order_by("pk").values_list("artist", "licence", "genre", "year")
    assert list(texts) == [
        ("Ann", "CC0-1.0", "Chiptune", 1999),
        ("Ben", "CC0-1.0", "Chiptune", 1999),
        ("", "", "", None),
    ]
    assert history(one) == ["Changed Genre, Year and Licence."]
    assert history(two) == ["Changed Genre and Year."]
    assert not history(other)


@pytest.mark.parametrize(
    ("texts", "told"),
    [({}, "Fill in what is to change"), ({"year": "soon"}, "Enter a whole number")],
)
def test_nothing_and_nonsense_are_told_and_change_nothing(
    administrator_client: Client, add: Callable[..., Track], texts: dict[str, str], told: str
) -> None:
    track = add(1, title="Kept")
    page = administrator_client.post(LIST, edit(track, **texts)).content.decode()
    assert told in page
    assert not history(track)


def test_the_form_of_a_track_suggests_spdx_licences_and_takes_any_words(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    track = add(1)
    url = f"{LIST}{track.pk}/change/"
    assert '<option value="CC-BY-SA-4.0">' in administrator_client.get(url).content.decode()
    texts = {"title": "Better", "genre": "Folk", "year": "2004", "licence": "Ask the band"}
    administrator_client.post(url, {**TEXTS, **texts})
    track.refresh_from_db()
    assert (track.genre, track.year, track.licence) == ("Folk", 2004, "Ask the band")
    assert history(track) == ["Changed Title, Genre, Year and Licence."]


def test_tracks_are_filtered_by_licence_genre_and_year(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    add(1, title="Freely", licence="CC0-1.0", genre="Folk")
    add(2, title="Otherwise", licence="GPL-3.0-only", genre="Rock")
    for question in ("licence=CC0-1.0", "genre=Folk"):
        page = administrator_client.get(f"{LIST}?{question}").content.decode()
        assert "Freely" in page, question
        assert "Otherwise" not in page, question


def test_visitors_read_genre_year_and_licence_and_search_by_genre(
    client: Client, add: Callable[..., Track]
) -> None:
    track, other = add(1, licence="CC0-1.0", genre="Chiptune"), add(2)
    Track.objects.filter(pk=track.pk).update(year=1999)
    for url in ("/catalogue/", f"/catalogue/{track.pk}/"):
        page = client.get(url).content.decode()
        for text in ("Chiptune", "1999", "CC0-1.0"):
            assert text in page, url
    assert list(selectors.catalogue("chiptune")) == [track]
    assert "not stated" in client.get(f"/catalogue/{other.pk}/").content.decode()
