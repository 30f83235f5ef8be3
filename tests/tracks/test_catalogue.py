"""Adding tracks to the catalogue and deleting them, on the real database and real files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction

from ml.errors import AudioError
from tests.tracks.conftest import song
from tracks import selectors
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.services.catalogue import Texts, add_track, delete_track

pytestmark = pytest.mark.django_db


def files(media: Path) -> list[Path]:
    return [path for path in (media / "tracks").rglob("*") if path.is_file()]


def test_a_track_is_stored_under_a_random_name_with_the_ending_of_its_content(media: Path) -> None:
    track, created = add_track(ContentFile(song(1), name="../../secret.mp3"), Texts("One"))
    assert created
    (stored,) = files(media)
    assert stored.suffix == ".flac"
    assert "secret" not in str(stored)
    assert stored.read_bytes() == song(1)
    assert track.size == len(song(1))


def test_a_new_track_waits_in_the_index_of_every_live_version_and_a_nudge_is_sent(
    version: ModelVersion,
    sent: list[Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        track, _ = add_track(ContentFile(song(1)), Texts("One"))
    (entry,) = track.entries.all()
    assert (entry.model_version, entry.state) == (version, IndexEntry.State.PENDING)
    assert sent == [("tracks.tasks.index_entry", entry.pk)]


def test_a_retired_version_hears_of_new_tracks_and_an_archived_one_does_not(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.RETIRED)
    assert add(1).entries.count() == 1
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.ARCHIVED)
    assert add(2).entries.count() == 0


def test_the_same_bytes_again_renew_the_texts_of_the_track_that_has_them(media: Path) -> None:
    first, _ = add_track(ContentFile(song(1)), Texts("One", licence="CC0-1.0"))
    again, created = add_track(ContentFile(song(1)), Texts("Uno"))
    assert (again.pk, created) == (first.pk, False)
    first.refresh_from_db()
    assert (first.title, first.licence) == ("Uno", "")
    assert len(files(media)) == 1


def test_a_file_that_is_no_audio_leaves_neither_row_nor_file(media: Path) -> None:
    with pytest.raises(AudioError) as refused:
        add_track(ContentFile(b"#EXTM3U\nhttp://example.org/stream\n"), Texts("Playlist"))
    assert refused.value.code == "not-audio"
    assert not Track.objects.exists()
    assert not files(media)


@pytest.mark.django_db(transaction=True)
def test_two_who_add_the_same_bytes_at_once_end_with_one_track_and_one_file(media: Path) -> None:
    together, added = threading.Barrier(2), []

    def add() -> None:
        together.wait(10)
        added.append(add_track(ContentFile(song(1)), Texts("One")))
        connection.close()

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(created for _, created in added) == [False, True]
    assert len({track.pk for track, _ in added}) == 1
    assert len(files(media)) == 1


def test_deleting_a_track_takes_its_index_entries_and_after_the_commit_its_file(
    version: ModelVersion,
    media: Path,
    add: Callable[..., Track],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    track = add(1)
    with django_capture_on_commit_callbacks(execute=True):
        delete_track(track)
        assert files(media)  # a rollback must not lose it
    assert not files(media)
    assert not Track.objects.exists()
    assert not IndexEntry.objects.exists()


def test_the_database_itself_refuses_a_track_without_a_title(add: Callable[..., Track]) -> None:
    track = add(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Track.objects.filter(pk=track.pk).update(title="")


def test_a_search_finds_tracks_that_have_all_its_words_in_any_text(
    add: Callable[..., Track],
) -> None:
    both = add(1, title="7 Days", artist="Sean Hawk", soundtrack="wizznic")
    add(2, title="Mysteria", artist="Somebody", soundtrack="wizznic")
    assert list(selectors.catalogue("hawk 7")) == [both]
    assert selectors.catalogue("WIZZNIC").count() == 2
    assert selectors.catalogue("").count() == 2
