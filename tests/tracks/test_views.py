"""The catalogue's pages, which need no sign-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from ml.encoding import Encoding
from tracks import basket, choice_fields
from tracks.models import DemoFill, IndexEntry, ModelVersion, Track
from tracks.selectors import FILL_SILENCE
from tracks.services import demo

pytestmark = pytest.mark.django_db


def test_tracks_are_listed_under_their_soundtrack_with_licence_and_source(
    client: Client, add: Callable[..., Track]
) -> None:
    add(1, title="7 Days", soundtrack="wizznic", licence="GPL-3", source="Debian package x")
    page = client.get("/catalogue/").content.decode()
    for text in ("7 Days", "wizznic", "GPL-3", "Debian package x", "1 track"):
        assert text in page


def test_the_list_has_pages_and_a_search(client: Client, add: Callable[..., Track]) -> None:
    original = add(1)
    copies = [
        Track(title=f"Tune {n:03}", sha256=f"{n:064x}", size=1, audio=original.audio.name)
        for n in range(60)
    ]
    Track.objects.bulk_create(copies)
    first, second = client.get("/catalogue/"), client.get("/catalogue/?page=2")
    assert (len(first.context["page"]), len(second.context["page"])) == (50, 11)
    found = client.get("/catalogue/?q=tune+007")
    assert [track.title for track in found.context["page"]] == ["Tune 007"]
    assert "Nothing found" in client.get("/catalogue/?q=xyzzy").content.decode()


def test_a_tracks_page_has_a_player_and_its_facts(
    client: Client, add: Callable[..., Track]
) -> None:
    track = add(1, title="Low Tide", artist="Nobody", licence="CC0-1.0")
    page = client.get(track.get_absolute_url()).content.decode()
    assert f'src="/catalogue/{track.pk}/audio/"' in page
    for text in ("Low Tide", "Nobody", "CC0-1.0"):
        assert text in page
    assert client.get(f"/catalogue/{track.pk + 1}/").status_code == 404


def test_texts_of_a_track_cannot_bring_markup_into_the_page(
    client: Client, add: Callable[..., Track]
) -> None:
    add(1, title="<script>alert(1)</script>", artist="<b>", soundtrack="<i>")
    page = client.get("/catalogue/").content.decode()
    assert "<script>alert" not in page
    assert "<i>" not in page


def test_the_filling_of_the_demo_catalogue_shows_and_goes_when_it_ends(client: Client) -> None:
    demo.say("Fetching wizznic-data (8 of 13): 40 %")
    assert "Fetching wizznic-data (8 of 13): 40 %" in client.get("/catalogue/").content.decode()
    assert "every 3s" in client.get("/catalogue/fill/").content.decode()
    demo.say("", running=False)
    assert client.get("/catalogue/fill/").content.decode().strip() == ""


def test_a_filling_that_was_killed_does_not_show_for_ever(client: Client) -> None:
    demo.say("Fetching wizznic-data (8 of 13): 40 %")
    long_ago = timezone.now() - FILL_SILENCE - timedelta(seconds=1)
    DemoFill.objects.update(updated_at=long_ago)
    assert "wizznic-data" not in client.get("/catalogue/").content.decode()


# --- looking for tracks --------------------------------------------------------------------


def rows(response: HttpResponse) -> list[str]:
    return [track.title for track in response.context["page"]]  # type: ignore[attr-defined]


def test_a_typing_error_is_forgiven_and_the_page_says_so(
    client: Client, add: Callable[..., Track]
) -> None:
    add(1, title="Chase", soundtrack="drascula")
    response = client.get("/catalogue/?q=drascla")
    assert rows(response) == ["Chase"]
    assert "Nothing is called “drascla”" in response.content.decode()
    assert "Nothing is called" not in client.get("/catalogue/?q=drascula").content.decode()


def test_the_catalogue_is_narrowed_by_lists_and_by_links(
    client: Client, add: Callable[..., Track]
) -> None:
    add(1, title="One", soundtrack="A & B", genre="Rock", licence="MIT")
    add(2, title="Two", soundtrack="Other", genre="Rock", licence="GPL-3")
    page = client.get("/catalogue/").content.decode()
    for link in ("?soundtrack=A%20%26%20B", "?genre=Rock", "?licence=GPL-3"):
        assert f'href="/catalogue/{link}"' in page
    assert '<option value="A &amp; B">' in page
    assert rows(client.get("/catalogue/?soundtrack=A%20%26%20B")) == ["One"]
    assert rows(client.get("/catalogue/?genre=Rock&licence=GPL-3")) == ["Two"]
    empty = client.get("/catalogue/?genre=Polka").content.decode()
    assert "Nothing found" in empty
    assert '<option value="Polka" selected>' in empty


def test_where_there_are_many_choices_there_is_a_line_to_type_into(
    client: Client, add: Callable[..., Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice_fields, "MOST_CHOICES", 1)
    add(1, soundtrack="One"), add(2, soundtrack="Two")
    page = client.get("/catalogue/?soundtrack=Two").content.decode()
    assert '<input type="text" name="soundtrack" value="Two"' in page


def test_what_was_asked_is_kept_from_page_to_page(
    client: Client, add: Callable[..., Track]
) -> None:
    audio = add(1).audio.name
    Track.objects.bulk_create(
        Track(title=f"Tune {n}", genre="R&B", sha256=f"{n:064x}", size=1, audio=audio)
        for n in range(60)
    )
    page = client.get("/catalogue/?q=tune&genre=R%26B").content.decode()
    assert 'href="?q=tune&amp;genre=R%26B&amp;page=2"' in page
    assert len(rows(client.get("/catalogue/?q=tune&genre=R%26B&page=2"))) == 10


# --- one track -----------------------------------------------------------------------------


def heard(track: Track, vector: list[float], **more: Any) -> None:
    facts = {"tempo": 121.7, "key": 21.0, "key_clarity": 0.9, "brightness": 1830.0}
    encoding = Encoding(np.array(vector, np.float32), np.zeros((4, 2), np.uint16), 0.5, 2.0, facts)
    track.entries.update(
        state=IndexEntry.State.INDEXED,
        embedding=vector,
        encoding=encoding.to_bytes(),
        indexed_at=timezone.now(),
        **more,
    )


def near(closeness: float) -> list[float]:
    return [1.0, 1.0 - closeness] + [0.0] * 6


def test_a_tracks_page_shows_what_was_heard_in_it(
    client: Client, version: ModelVersion, add: Callable[..., Track]
) -> None:
    track = add(1)
    heard(track, near(1), peaks=bytes([255] * 800 + [90] * 800), strip=b"a png")
    page = client.get(track.get_absolute_url()).content.decode()
    for text in ("122 bpm", "A minor", "1830 Hz", f'src="/catalogue/{track.pk}/strip.png"'):
        assert text in page
    assert 'd="M.5 1v62m1-62v62' in page


def test_a_tracks_page_links_to_its_six_nearest_neighbours_nearest_first(
    client: Client, version: ModelVersion, add: Callable[..., Track]
) -> None:
    tracks = [add(seed) for seed in range(9)]
    for number, track in enumerate(tracks[:8]):
        heard(track, near(1 - number / 10))
    response = client.get(tracks[0].get_absolute_url())
    assert response.context["alike"] == tracks[1:7]
    page = response.content.decode()
    assert f'href="{tracks[1].get_absolute_url()}"' in page
    assert tracks[8].get_absolute_url() not in page  # it was not heard yet


@pytest.mark.parametrize("encoding", [None, b"no archive"])
def test_a_track_that_was_not_heard_properly_has_a_page_all_the_same(
    client: Client, version: ModelVersion, add: Callable[..., Track], encoding: bytes | None
) -> None:
    track = add(1)
    if encoding:
        heard(track, near(1))
        track.entries.update(encoding=encoding)
    page = client.get(track.get_absolute_url()).content.decode()
    assert "Song 1" in page
    assert "bpm" not in page
    assert "Sounds like" not in page


def test_a_visitor_is_asked_to_sign_in_to_find_similar_ones(
    client: Client, owner_client: Client, add: Callable[..., Track]
) -> None:
    track = add(1)
    page = client.get(track.get_absolute_url()).content.decode()
    assert f'href="/accounts/login/?next={track.get_absolute_url()}"' in page
    own = owner_client.get(track.get_absolute_url()).content.decode()
    assert f'action="/catalogue/{track.pk}/similar/"' in own


# --- picking tracks ------------------------------------------------------------------------


def pressed(client: Client, track: Track) -> list[str]:
    """Which of the track's two buttons are pressed on its page."""
    page = client.get(track.get_absolute_url()).content.decode()
    return [
        side
        for side in ("like", "unlike")
        if f'name="{side}" value="{track.pk}" aria-pressed="true"' in page
    ]


def test_a_track_is_picked_put_on_the_other_side_and_put_back(
    client: Client, add: Callable[..., Track]
) -> None:
    track = add(1)
    for side, left in (("like", ["like"]), ("unlike", ["unlike"]), ("unlike", [])):
        response = client.post("/catalogue/pick/", {side: track.pk, "next": "/catalogue/?q=song"})
        assert response["Location"] == f"/catalogue/?q=song#track-{track.pk}"
        assert pressed(client, track) == left


def test_what_is_picked_is_counted_with_a_way_to_ask_about_it(
    client: Client, add: Callable[..., Track]
) -> None:
    one, two = add(1), add(2)
    assert "picked" not in client.get("/catalogue/").content.decode()
    client.post("/catalogue/pick/", {"like": one.pk})
    client.post("/catalogue/pick/", {"unlike": two.pk})
    page = client.get("/catalogue/").content.decode()
    assert "2 tracks picked." in page
    assert 'href="/seeds/"' in page
    client.post("/catalogue/pick/", {"empty": "1"})
    assert "picked" not in client.get("/catalogue/").content.decode()


def test_a_page_that_stays_is_sent_the_buttons_and_the_count(
    client: Client, add: Callable[..., Track]
) -> None:
    track = add(1)
    response = client.post("/catalogue/pick/", {"like": track.pk}, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert response.status_code == 200
    assert f'value="{track.pk}" aria-pressed="true"' in page
    assert 'id="basket" role="status" hx-swap-oob="true">1 track picked.' in page


def test_no_more_are_picked_than_can_be_asked_about(
    client: Client, add: Callable[..., Track]
) -> None:
    tracks = [add(seed) for seed in range(3)]
    with mock.patch.object(basket, "MOST_SEEDS", 2):
        for track in tracks:
            response = client.post("/catalogue/pick/", {"like": track.pk}, follow=True)
        assert "Up to 2 tracks can be picked at once." in response.content.decode()
        assert pressed(client, tracks[2]) == []
        client.post("/catalogue/pick/", {"like": tracks[0].pk})  # taking away is always possible
        assert pressed(client, tracks[0]) == []


@pytest.mark.parametrize("number", ["x", "", "-1", "4000000000"])
def test_what_is_no_track_is_not_picked(client: Client, number: str) -> None:
    assert client.post("/catalogue/pick/", {"like": number}).status_code == 404


def test_the_way_back_leads_to_no_other_site(client: Client, add: Callable[..., Track]) -> None:
    response = client.post("/catalogue/pick/", {"like": add(1).pk, "next": "https://evil.example/"})
    assert response["Location"].startswith("/catalogue/#track-")
