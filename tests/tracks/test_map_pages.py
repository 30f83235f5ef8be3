"""The map's page and its points, which need no sign-in."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tracks import map_points
from tracks.map_points import UNITS
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.services.withdrawal import withdraw

pytestmark = pytest.mark.django_db


def on_the_map(
    version: ModelVersion, number: int, place: tuple[float, float] = (0.5, 0.5), **texts: str
) -> Track:
    """A track with a place, whose file nobody opens."""
    titled = {"title": f"Tune {number:03}", "soundtrack": "A game", **texts}
    track = Track.objects.create(**titled, sha256=f"{number:064x}", size=1, audio="x.flac")
    IndexEntry.objects.create(
        track=track,
        model_version=version,
        state=IndexEntry.State.INDEXED,
        embedding=[1.0] * 8,
        encoding=b"x",
        indexed_at=timezone.now(),
        x=place[0],
        y=place[1],
    )
    return track


def points(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/catalogue/map.json").json()
    return found


def test_points_are_places_titles_and_names(client: Client, version: ModelVersion) -> None:
    first = on_the_map(version, 1, (0.25, 1.0), title="7 Days", artist="Sean Hawk")
    second = on_the_map(version, 2, (0.0, 0.5), soundtrack="Another")
    assert points(client) == {
        "soundtracks": ["A game", "Another"],
        "artists": ["Sean Hawk", ""],
        "id": [first.pk, second.pk],
        "x": [UNITS // 4, 0],
        "y": [UNITS, UNITS // 2],
        "title": ["7 Days", "Tune 002"],
        "soundtrack": [0, 1],
        "artist": [0, 1],
    }


def test_what_is_withdrawn_or_belongs_to_another_version_is_not_on_the_map(
    client: Client, version: ModelVersion
) -> None:
    kept, gone = on_the_map(version, 1), on_the_map(version, 2, title="Gone")
    other = ModelVersion.objects.create(
        name="other", location="x", sha256="0" * 64, manifest={}, embedding_dim=8
    )
    IndexEntry.objects.filter(track=on_the_map(version, 3)).update(model_version=other)
    withdraw(gone, "a claim")
    assert points(client)["id"] == [kept.pk]
    assert "Gone" not in client.get("/catalogue/map/").content.decode()


def test_points_that_have_not_changed_are_not_sent_again(
    client: Client, version: ModelVersion
) -> None:
    on_the_map(version, 1)
    first = client.get("/catalogue/map.json")
    assert "no-cache" in first["Cache-Control"]
    known = {"If-None-Match": first["ETag"]}
    assert client.get("/catalogue/map.json", headers=known).status_code == 304
    Track.objects.update(title="Renamed")
    assert client.get("/catalogue/map.json", headers=known).status_code == 200


def test_a_point_takes_less_than_a_hundred_bytes(client: Client, version: ModelVersion) -> None:
    count = 1000
    tracks = Track.objects.bulk_create(
        Track(
            title=f"A title of the usual length {n}",
            artist=f"Artist {n % 40}",
            soundtrack=f"The soundtrack of game {n % 30}",
            sha256=f"{n:064x}",
            size=1,
            audio="x.flac",
        )
        for n in range(count)
    )
    IndexEntry.objects.bulk_create(
        IndexEntry(
            track=track,
            model_version=version,
            state=IndexEntry.State.INDEXED,
            embedding=[1.0] * 8,
            encoding=b"x",
            indexed_at=timezone.now(),
            x=n / count,
            y=1 - n / count,
        )
        for n, track in enumerate(tracks)
    )
    plain = client.get("/catalogue/map.json").content
    packed = client.get("/catalogue/map.json", headers={"Accept-Encoding": "gzip"})
    assert len(json.loads(plain)["id"]) == count
    assert len(plain) < 100 * count
    assert len(packed.content) < 25 * count
    assert gzip.decompress(packed.content) == plain


def test_the_eight_largest_soundtracks_have_marks_of_their_own_and_the_rest_share_one(
    client: Client, version: ModelVersion
) -> None:
    number = 0
    for size in range(1, 11):
        for _ in range(size):
            number += 1
            on_the_map(version, number, soundtrack=f"Game {size}" if size < 10 else "")
    found = map_points.groups()
    assert [(group.soundtrack, group.number) for group in found] == [
        *((f"Game {size}", size) for size in range(9, 1, -1)),
        ("", 11),
    ]
    assert [group.hue for group in found] == [1, 2, 3, 4, 5, 6, 7, 8, 0]
    assert len({group.mark for group in found}) == 9
    page = client.get("/catalogue/map/").content.decode()
    assert 'data-soundtrack="Game 9"' in page
    assert "All others" in page


def test_the_list_says_which_tracks_lie_nearest(client: Client, version: ModelVersion) -> None:
    near, far = on_the_map(version, 1, (0.1, 0.1)), on_the_map(version, 2, (0.9, 0.9))
    track = on_the_map(version, 3, (0.2, 0.1), soundtrack="")
    rows = map_points.with_neighbours([track])
    assert rows == [(track, [near, far])]
    page = client.get("/catalogue/map/").content.decode()
    for text in ("A game", "Without a soundtrack", "3 tracks", near.get_absolute_url()):
        assert text in page


def test_the_list_has_pages(client: Client, version: ModelVersion) -> None:
    for number in range(60):
        on_the_map(version, number, (number / 60, 0.5))
    page = client.get("/catalogue/map/").content.decode()
    assert 'href="?page=2#list"' in page
    assert len(client.get("/catalogue/map/?page=2").context["rows"]) == 10


def test_a_map_that_is_not_drawn_yet_says_so(client: Client, version: ModelVersion) -> None:
    page = client.get("/catalogue/map/").content.decode()
    assert "The map is not drawn yet" in page
    assert "<canvas" not in page
    assert points(client)["id"] == []


def test_texts_cannot_bring_markup_into_the_map(client: Client, version: ModelVersion) -> None:
    on_the_map(version, 1, title="<script>alert(1)</script>", soundtrack='"><img src=x>')
    page = client.get("/catalogue/map/").content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_the_navigation_leads_to_the_map(client: Client, version: ModelVersion) -> None:
    assert 'href="/catalogue/map/"' in client.get("/").content.decode()
