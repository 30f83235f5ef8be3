"""The administrator's forms and lists."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen.flac
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.tracks.conftest import song
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.services import index

pytestmark = pytest.mark.django_db
TEXTS = dict.fromkeys(("title", "artist", "soundtrack", "licence", "source", "source_url"), "")
ADD = "/admin/tracks/track/add/"


def upload(content: bytes, name: str = "my_song.flac", **texts: str) -> dict[str, Any]:
    return {**TEXTS, **texts, "audio": SimpleUploadedFile(name, content)}


def tagged(content: bytes, **tags: str) -> bytes:
    file = io.BytesIO(content)
    flac = mutagen.flac.FLAC(file)
    flac.update(tags)
    file.seek(0)
    flac.save(file)
    return file.getvalue()


def errors(response: Any) -> str:
    return str(response.context["adminform"].form.errors)


def test_a_track_added_by_form_waits_for_the_worker_of_the_active_version(
    administrator_client: Client, version: ModelVersion
) -> None:
    texts = {"title": "7 Days", "artist": "Sean Hawk", "licence": "GPL-3"}
    response = administrator_client.post(ADD, upload(song(1), **texts))
    assert response.status_code == 302
    track = Track.objects.get()
    assert (track.title, track.artist, track.licence) == ("7 Days", "Sean Hawk", "GPL-3")
    assert track.entries.get().state == IndexEntry.State.PENDING
    page = administrator_client.get("/admin/tracks/track/").content.decode()
    assert "7 Days" in page
    assert "PENDING" in page


def test_texts_left_empty_come_from_the_tags_and_the_title_at_last_from_the_name(
    administrator_client: Client,
) -> None:
    content = tagged(song(1), title="Tagged", artist="Somebody", album="An Album")
    administrator_client.post(ADD, upload(content))
    administrator_client.post(ADD, upload(song(2), "low_tide.flac"))
    assert set(Track.objects.values_list("title", "artist", "soundtrack")) == {
        ("Tagged", "Somebody", "An Album"),
        ("low tide", "", ""),
    }


def test_a_text_file_with_the_name_of_a_song_is_refused_in_the_form(
    administrator_client: Client,
) -> None:
    response = administrator_client.post(ADD, upload(b"la la la " * 99, "song.ogg", title="La"))
    assert "no audio format" in errors(response)
    assert not Track.objects.exists()


def test_a_file_above_the_limit_is_refused_in_the_form(
    administrator_client: Client, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    response = administrator_client.post(ADD, upload(song(1), title="Big"))
    assert "at most 1000" in errors(response).replace("\xa0", " ")


def test_audio_that_the_catalogue_has_is_refused_with_its_title(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    add(1, title="The first")
    response = administrator_client.post(ADD, upload(song(1), title="The second"))
    assert "The first" in errors(response)
    assert Track.objects.count() == 1


def test_an_administrator_edits_the_texts_of_a_track(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    track = add(1)
    url = f"/admin/tracks/track/{track.pk}/change/"
    administrator_client.post(url, {**TEXTS, "title": "Better", "licence": "CC0-1.0"})
    track.refresh_from_db()
    assert (track.title, track.licence) == ("Better", "CC0-1.0")


def test_deleting_one_track_or_several_takes_their_files_too(
    administrator_client: Client,
    add: Callable[..., Track],
    media: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    one, *others = add(1), add(2), add(3)
    chosen = [track.pk for track in others]
    with django_capture_on_commit_callbacks(execute=True):
        administrator_client.post(f"/admin/tracks/track/{one.pk}/delete/", {"post": "yes"})
        administrator_client.post(
            "/admin/tracks/track/",
            {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
        )
    assert not Track.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_failed_track_shows_its_reason_and_can_be_queued_again(
    administrator_client: Client, version: ModelVersion, add: Callable[..., Track]
) -> None:
    track = add(1)
    entry = index.claim()
    assert entry is not None
    index.fail(entry, "silent", "no sample above -60 dBFS")
    page = administrator_client.get(f"/admin/tracks/track/{track.pk}/change/").content.decode()
    assert "The file holds only silence. (no sample above -60 dBFS)" in page
    failed = administrator_client.get("/admin/tracks/track/?index=FAILED").content.decode()
    assert "FAILED: silent" in failed
    administrator_client.post(
        "/admin/tracks/track/", {"action": "retry", "_selected_action": [track.pk]}
    )
    assert track.entries.get().state == IndexEntry.State.PENDING


def test_entries_and_versions_are_listed_filtered_and_searched_but_never_written(
    administrator_client: Client, version: ModelVersion, add: Callable[..., Track]
) -> None:
    entry = add(1, title="7 Days").entries.get()
    for url, text in (
        ("/admin/tracks/indexentry/?state__exact=PENDING&q=7+Days", "7 Days"),
        (f"/admin/tracks/indexentry/{entry.pk}/change/", "7 Days"),
        ("/admin/tracks/modelversion/?state__exact=ACTIVE&q=listener", "0 of 1 indexed"),
        (f"/admin/tracks/modelversion/{version.pk}/change/", "0 of 1 indexed"),
    ):
        response = administrator_client.get(url)
        assert response.status_code == 200
        assert text in response.content.decode()
    for url in ("indexentry/add/", f"modelversion/{version.pk}/delete/"):
        assert administrator_client.get(f"/admin/tracks/{url}").status_code == 403


def test_an_entry_that_failed_can_be_queued_again_from_its_own_list(
    administrator_client: Client, version: ModelVersion, add: Callable[..., Track]
) -> None:
    add(1)
    entry = index.claim()
    assert entry is not None
    index.fail(entry, "damaged", "")
    administrator_client.post(
        "/admin/tracks/indexentry/", {"action": "retry", "_selected_action": [entry.pk]}
    )
    assert IndexEntry.objects.get().state == IndexEntry.State.PENDING


def test_a_visitor_gets_nothing_of_the_administration(owner_client: Client) -> None:
    assert owner_client.get("/admin/tracks/track/").status_code == 302
