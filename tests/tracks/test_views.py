"""The catalogue's pages, which need no sign-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tracks.models import DemoFill, Track
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
