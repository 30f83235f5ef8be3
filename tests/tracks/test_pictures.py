"""The picture of a track's codes, open to everyone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.tracks.test_index import HEARD, claimed
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.services import index
from tracks.services.versions import install_model

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n and so on"
Add = Callable[..., Track]


@pytest.fixture
def painted(version: ModelVersion, add: Add) -> Track:
    track = add(1)
    assert index.complete(claimed(), **HEARD, peaks=b"p" * 1600, strip=PNG)
    return track


def address(track: Track) -> str:
    return reverse("tracks:strip", args=[track.pk])


def test_everyone_sees_the_strip_and_loads_it_once(client: Client, painted: Track) -> None:
    assert address(painted) == f"/catalogue/{painted.pk}/strip.png"
    first = client.get(address(painted))
    assert (first.status_code, first.content) == (200, PNG)
    assert first["Content-Type"] == "image/png"
    assert first["Cache-Control"] == "public, max-age=600"
    again = client.get(address(painted), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_track_that_waits_to_be_heard_has_no_strip(
    client: Client, version: ModelVersion, add: Add
) -> None:
    assert client.get(address(add(1))).status_code == 404


def test_a_withdrawn_track_has_no_strip(client: Client, painted: Track) -> None:
    Track.objects.filter(pk=painted.pk).update(audio="", withdrawn_at="2026-01-01T00:00Z")
    assert client.get(address(painted)).status_code == 404


def test_a_track_that_is_not_there_has_no_strip(client: Client, painted: Track) -> None:
    assert client.get(f"/catalogue/{painted.pk + 1}/strip.png").status_code == 404


def test_the_strip_is_the_active_versions(
    client: Client, painted: Track, artefact_folder: Callable[[str], Path]
) -> None:
    second, _ = install_model(artefact_folder("listener-2"))
    IndexEntry.objects.update_or_create(
        track=painted, model_version=second, defaults={"strip": PNG + b" in other colours"}
    )
    assert client.get(address(painted)).content == PNG


def test_an_entry_that_fails_loses_its_pictures(painted: Track) -> None:
    entry = painted.entries.get()
    IndexEntry.objects.filter(pk=entry.pk).update(state="PENDING", heartbeat_at="2026-01-01T00:00Z")
    entry.refresh_from_db()
    assert index.fail(entry, "damaged", "")
    entry.refresh_from_db()
    assert (entry.peaks, entry.strip) == (None, None)


def test_the_list_of_entries_reads_none_of_what_was_heard(
    administrator_client: Client, painted: Track
) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = administrator_client.get("/admin/tracks/indexentry/").content.decode()
    assert "Song 1" in page
    for column in IndexEntry.BULKY:
        assert not [each for each in queries if f'"{column}"' in each["sql"].partition("WHERE")[0]]
