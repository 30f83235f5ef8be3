"""A person's uploads on the map: where they lie, and that they are nobody else's business."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from matcher.map_points import points_of
from matcher.models import Match, State, Upload
from tests.matcher.conftest import Upper
from tracks.models import IndexEntry, Track
from tracks.services.withdrawal import withdraw

pytestmark = pytest.mark.django_db


@pytest.fixture
def mapped(tracks: list[Track]) -> list[Track]:
    """Three tracks in three corners."""
    for track, (x, y) in zip(tracks, [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], strict=True):
        IndexEntry.objects.filter(track=track).update(x=x, y=y)
    return tracks


def distances(upload: Upload, *found: float) -> None:
    for rank, distance in enumerate(found, start=1):
        Match.objects.filter(upload=upload, rank=rank).update(distance=distance)


def test_an_upload_lies_among_its_matches_and_next_to_the_closest(
    mapped: list[Track], answered: Upload
) -> None:
    distances(answered, 0.2, 0.28, 0.36)
    (point,) = points_of(answered.owner)
    assert 0.2 < point["x"] < 0.3
    assert 0.05 < point["y"] < point["x"]
    assert point["title"] == "song.mp3"
    assert point["page"] == answered.get_absolute_url()
    assert point["audio"] == f"/uploads/{answered.pk}/audio/"


def test_a_copy_of_a_track_lies_upon_it(mapped: list[Track], answered: Upload) -> None:
    distances(answered, 0.001, 0.5, 0.6)
    (point,) = points_of(answered.owner)
    assert (point["x"], point["y"]) == pytest.approx((0.0, 0.0), abs=0.01)


def test_only_ones_own_finished_uploads_are_on_the_map(
    mapped: list[Track],
    answered: Upload,
    upload: Upper,
    owner_client: Client,
    stranger_client: Client,
    client: Client,
) -> None:
    upload(State.QUEUED)
    upload(State.FAILED)
    assert [one["title"] for one in owner_client.get("/uploads/map.json").json()["uploads"]] == [
        "song.mp3"
    ]
    assert stranger_client.get("/uploads/map.json").json() == {"uploads": []}
    assert client.get("/uploads/map.json").json() == {"uploads": []}
    assert points_of(AnonymousUser()) == []
    assert "no-store" in owner_client.get("/uploads/map.json")["Cache-Control"]


def test_an_upload_whose_matches_left_the_map_is_not_on_it(
    mapped: list[Track], answered: Upload
) -> None:
    distances(answered, 0.2, 0.3, 0.4)
    withdraw(mapped[0], "a claim")
    (point,) = points_of(answered.owner)
    assert point["x"] > 0.5
    withdraw(mapped[1], "a claim")
    withdraw(mapped[2], "a claim")
    assert points_of(answered.owner) == []


def test_only_who_is_signed_in_is_told_of_uploads(
    mapped: list[Track], owner_client: Client, client: Client
) -> None:
    assert 'data-yours="/uploads/map.json"' in owner_client.get("/catalogue/map/").content.decode()
    assert "data-yours=" not in client.get("/catalogue/map/").content.decode()


def test_a_question_without_a_file_has_no_sound(
    mapped: list[Track], answered: Upload, owner: Any
) -> None:
    Upload.objects.filter(pk=answered.pk).update(audio="", size=0)
    (point,) = points_of(owner)
    assert point["audio"] == ""
