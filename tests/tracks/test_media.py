"""Audio over HTTP: players seek by ranges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.tracks.conftest import song
from tracks.models import Track

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(add: Callable[..., Track]) -> str:
    return f"/catalogue/{add(1).pk}/audio/"


def body(response: object) -> bytes:
    return b"".join(response)  # type: ignore[call-overload]


def test_a_request_without_a_range_gets_the_whole_file(client: Client, url: str) -> None:
    response = client.get(url)
    assert response.status_code == 200
    assert body(response) == song(1)
    assert response["Content-Type"] == "audio/flac"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Length"] == str(len(song(1)))


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=10-99999999", 10, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_one_range_is_answered_by_those_bytes_alone(
    client: Client, url: str, asked: str, start: int, stop: int | None
) -> None:
    response = client.get(url, headers={"Range": asked})
    expected = song(1)[start:stop]
    first = len(song(1)) + start if start < 0 else start
    assert response.status_code == 206
    assert body(response) == expected
    last = first + len(expected) - 1
    assert response["Content-Range"] == f"bytes {first}-{last}/{len(song(1))}"
    assert response["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_length(
    client: Client, url: str, asked: str
) -> None:
    response = client.get(url, headers={"Range": asked})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(song(1))}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "seconds=1-2", "bytes=9-3", "bytes=-"])
def test_ranges_that_are_not_understood_get_the_whole_file(
    client: Client, url: str, asked: str
) -> None:
    assert body(client.get(url, headers={"Range": asked})) == song(1)


def test_a_file_that_is_gone_is_not_found(client: Client, url: str) -> None:
    track = Track.objects.get()
    track.audio.storage.delete(str(track.audio.name))
    assert client.get(url).status_code == 404


def test_a_title_with_quotes_and_slashes_makes_no_broken_header(
    client: Client, add: Callable[..., Track]
) -> None:
    track = add(2, title='夜 "the/end"\r\nX-Evil: 1')
    response = client.get(f"/catalogue/{track.pk}/audio/")
    assert response.status_code == 200
    assert body(response) == song(2)
    assert "X-Evil" not in response.headers
    assert response["Content-Disposition"].startswith("inline; filename")
