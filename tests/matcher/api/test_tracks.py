"""The catalogue and the model versions by the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from matcher.models import State
from tests.matcher.api.conftest import Caller, code_of
from tests.matcher.conftest import Upper
from tracks.models import ModelVersion, Track


def test_the_catalogue_is_open_to_everyone(client: Client, tracks: list[Track]) -> None:
    told = client.get("/api/v1/tracks").json()
    assert [track["title"] for track in told["items"]] == ["Piece 0", "Piece 1", "Piece 2"]
    assert told["items"][0]["licence"] == "CC0-1.0"
    assert told["items"][0]["duration"] == 10.0


def test_a_search_finds_what_the_page_finds(client: Client, tracks: list[Track]) -> None:
    told = client.get("/api/v1/tracks", {"q": "piece 1"}).json()
    assert [track["id"] for track in told["items"]] == [tracks[1].pk]
    page = client.get("/catalogue/", {"q": "piece 1"}).content.decode()
    assert "Piece 1" in page
    assert "Piece 2" not in page


def test_a_filter_wants_the_whole_text(client: Client, tracks: list[Track]) -> None:
    Track.objects.filter(pk=tracks[2].pk).update(genre="ambient")
    told = client.get("/api/v1/tracks", {"genre": "ambient", "q": "piece"}).json()
    assert [track["id"] for track in told["items"]] == [tracks[2].pk]
    assert client.get("/api/v1/tracks", {"genre": "amb"}).json()["count"] == 0


def test_a_long_catalogue_comes_in_pages(client: Client, tracks: list[Track]) -> None:
    first = Track.objects.get(pk=tracks[0].pk)
    for number in range(60):
        first.pk, first.sha256, first.title = None, f"{number:064x}", f"Copy {number:02}"
        first.save(force_insert=True)
    one, two = (client.get(f"/api/v1/tracks?page={number}").json() for number in (1, 2))
    assert (one["count"], one["pages"]) == (63, 2)
    assert len(one["items"]) + len(two["items"]) == 63


def test_one_track_is_shown_with_its_addresses(client: Client, tracks: list[Track]) -> None:
    address = f"/api/v1/tracks/{tracks[1].pk}"
    told = client.get(address).json()
    assert told["url"] == f"http://testserver{address}"
    assert told["page_url"] == f"http://testserver/catalogue/{tracks[1].pk}/"


def test_a_withdrawn_track_is_not_found(client: Client, tracks: list[Track]) -> None:
    Track.objects.filter(pk=tracks[0].pk).update(withdrawn_at=timezone.now(), audio="")
    assert code_of(client.get(f"/api/v1/tracks/{tracks[0].pk}")) == "not-found"
    assert client.get("/api/v1/tracks").json()["count"] == 2


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=100001", "q=%00", f"q={'x' * 301}"])
def test_a_query_that_is_not_valid_is_refused_with_where_it_is_wrong(
    client: Client, db: None, query: str
) -> None:
    response = client.get(f"/api/v1/tracks?{query}")
    assert (response.status_code, code_of(response)) == (422, "invalid")
    assert response.json()["errors"][0]["where"] == f"query.{query.partition('=')[0]}"


def test_the_model_versions_are_shown_with_their_coverage(
    caller: Caller, administrator: Any, tracks: list[Track], second: ModelVersion, upload: Upper
) -> None:
    upload()
    upload(State.DECODING)
    told = caller(administrator).get("/api/v1/versions").json()
    assert (told["active"], told["queued"], told["running"]) == ("first", 1, 1)
    by_name = {version["name"]: version for version in told["items"]}
    assert (by_name["first"]["tracks"], by_name["first"]["indexed"]) == (3, 3)
    assert (by_name["second"]["state"], by_name["second"]["indexed"]) == ("READY", 0)
