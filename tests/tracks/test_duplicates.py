"""The same recording in two encodings is proposed as a pair; a person merges or keeps."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
import soundfile
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from ml.pretrained import DEFAULT
from ml.synth import SAMPLE_RATE, compose, render
from tests.tracks.test_withdrawal import files, history
from tracks import tasks
from tracks.indexing import index_next
from tracks.models import DuplicatePair, IndexEntry, ModelVersion, Track
from tracks.selectors import uncompared_entries
from tracks.services import duplicates
from tracks.services.catalogue import Texts, add_track
from tracks.services.versions import install_model

pytestmark = pytest.mark.django_db
State = DuplicatePair.State
LIST = "/admin/tracks/duplicatepair/"
SPANS = [{"one": [1.0, 21.0], "other": [0.0, 20.0]}]


@cache
def piece(seed: int) -> np.ndarray:
    return render(compose(seed), 24.0)


def sound(samples: np.ndarray, kind: str = "FLAC") -> ContentFile[bytes]:
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, format=kind)
    return ContentFile(stream.getvalue())


@pytest.fixture
def listener(db: None, settings: Any) -> ModelVersion:
    """The bundled model as the active version; nobody's heart beats beside the test's own."""
    settings.HEARTBEAT_SECONDS = 600
    return install_model(DEFAULT)[0]


def index_all() -> None:
    """Every entry is heard, one after the other, some minutes ago."""
    while index_next():
        pass
    for number, entry in enumerate(IndexEntry.objects.order_by("pk")):
        moment = timezone.now() - timedelta(minutes=10) + timedelta(seconds=number)
        IndexEntry.objects.filter(pk=entry.pk).update(indexed_at=moment)


@pytest.fixture
def pair(add: Callable[..., Track]) -> DuplicatePair:
    one, other = add(1, title="Theme", licence="CC0-1.0"), add(2, title="Theme (raw)")
    assert duplicates.propose(one, other, strength=0.93, spans=SPANS)
    return DuplicatePair.objects.get()


def test_the_same_recording_in_another_encoding_is_proposed_once_and_nothing_else_is(
    listener: ModelVersion,
) -> None:
    tracks = [add_track(sound(piece(seed)), Texts(f"Piece {seed}"))[0] for seed in range(4)]
    copy, _ = add_track(sound(0.7 * piece(2), "OGG"), Texts("Piece 2, lossy"))
    index_all()
    for _ in range(2):
        tasks.find_duplicates(listener.pk)
        ModelVersion.objects.update(compared_at=None)
    found = DuplicatePair.objects.get()
    assert (found.one, found.other, found.state) == (tracks[2], copy, State.PROPOSED)
    assert found.strength > 0.5
    assert found.seconds > 16


def test_two_pieces_that_share_a_passage_are_no_pair(listener: ModelVersion) -> None:
    for title, second in (("One", 5), ("Other", 6)):
        samples = np.concatenate([piece(4)[: 18 * SAMPLE_RATE], piece(second), piece(second + 2)])
        add_track(sound(samples), Texts(title))
    for seed in range(4):
        add_track(sound(piece(seed)), Texts(f"Piece {seed}"))
    index_all()
    tasks.find_duplicates(listener.pk)
    assert not DuplicatePair.objects.exists()


def test_every_entry_is_looked_at_once_and_again_when_it_was_indexed_again(
    listener: ModelVersion,
) -> None:
    for seed in range(2):
        add_track(sound(piece(seed)), Texts(f"Piece {seed}"))
    index_all()
    assert uncompared_entries(listener).count() == 2
    tasks.find_duplicates(listener.pk)
    listener.refresh_from_db()
    assert not uncompared_entries(listener).exists()
    entry = IndexEntry.objects.order_by("pk")[0]
    IndexEntry.objects.filter(pk=entry.pk).update(indexed_at=timezone.now() - timedelta(minutes=1))
    assert list(uncompared_entries(listener)) == [entry]


def test_the_sweep_sends_for_what_was_not_looked_at_unless_entries_wait_to_be_indexed(
    listener: ModelVersion,
    sent: list[Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    add_track(sound(piece(0)), Texts("Piece"))

    def swept() -> bool:
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            tasks.sweep_index()
        return (duplicates.DUPLICATES_TASK, listener.pk) in sent

    assert not swept()
    index_all()
    assert swept()
    add_track(sound(piece(1)), Texts("Waits"))
    assert not swept()


def test_only_one_worker_moves_the_mark_of_what_was_looked_at(version: ModelVersion) -> None:
    mine, theirs = ModelVersion.objects.get(), ModelVersion.objects.get()
    assert duplicates.compared(mine, timezone.now())
    assert not duplicates.compared(theirs, timezone.now())
    assert duplicates.compared(mine, timezone.now())


def test_a_pair_is_kept_in_order_with_its_spans_turned_round(add: Callable[..., Track]) -> None:
    first, second = add(1), add(2)
    assert duplicates.propose(second, first, strength=0.9, spans=SPANS)
    assert not duplicates.propose(first, second, strength=0.8, spans=[])
    pair = DuplicatePair.objects.get()
    assert (pair.one, pair.other) == (first, second)
    assert pair.spans == [{"one": [0.0, 20.0], "other": [1.0, 21.0]}]
    assert pair.seconds == 20.0
    with pytest.raises(IntegrityError), transaction.atomic():
        DuplicatePair.objects.update(one=second, other=first)


def test_the_pairs_page_shows_both_side_by_side_and_where_they_match(
    administrator_client: Client, pair: DuplicatePair
) -> None:
    listed = administrator_client.get(LIST).content.decode()
    assert "Theme and Theme (raw)" in listed
    page = administrator_client.get(f"{LIST}{pair.pk}/change/").content.decode()
    for text in ("Theme (raw)", "CC0-1.0", "FLAC", "0:01 to 0:21", "0:00 to 0:20", "93%"):
        assert text in page
    assert page.count("<audio") == 2


def test_keeping_both_is_written_down_and_they_are_never_proposed_again(
    administrator_client: Client, pair: DuplicatePair
) -> None:
    administrator_client.post(f"{LIST}{pair.pk}/keep/")
    pair.refresh_from_db()
    assert pair.state == State.KEPT
    assert pair.decided_at
    assert LogEntry.objects.get().get_change_message() == "Kept both"
    assert not duplicates.propose(pair.one, pair.other, strength=1.0, spans=[])
    again = administrator_client.post(f"{LIST}{pair.pk}/merge/{pair.one_id}/", follow=True)
    assert "Somebody else has decided" in again.content.decode()
    assert Track.objects.count() == 2


@pytest.mark.parametrize("side", ["one", "other"])
def test_merging_keeps_one_track_and_takes_the_row_and_file_of_the_other(
    administrator_client: Client,
    pair: DuplicatePair,
    media: Any,
    side: str,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    kept, gone = (pair.one, pair.other) if side == "one" else (pair.other, pair.one)
    with django_capture_on_commit_callbacks(execute=True):
        administrator_client.post(f"{LIST}{pair.pk}/merge/{kept.pk}/")
    assert list(Track.objects.all()) == [kept]
    assert not DuplicatePair.objects.exists()
    assert [str(path) for path in files(media)] == [kept.audio.path]
    (told,) = history(kept)
    assert gone.sha256 in told
    assert LogEntry.objects.filter(object_id=str(gone.pk), content_type__model="track").exists()


def test_what_was_decided_on_the_one_that_goes_holds_for_the_one_that_is_kept(
    pair: DuplicatePair, add: Callable[..., Track]
) -> None:
    third = add(3)
    duplicates.propose(pair.other, third, strength=0.9, spans=[])
    duplicates.keep_both(DuplicatePair.objects.get(other=third))
    assert duplicates.merge(pair, pair.one)
    left = DuplicatePair.objects.get()
    assert (left.one, left.other, left.state) == (pair.one, third, State.KEPT)


def test_staff_who_may_only_look_decide_nothing(
    stranger: Any, stranger_client: Client, pair: DuplicatePair
) -> None:
    stranger.is_staff = True
    stranger.save()
    for url in ("keep", f"merge/{pair.one_id}"):
        assert stranger_client.post(f"{LIST}{pair.pk}/{url}/").status_code == 403
    assert stranger_client.get(f"{LIST}{pair.pk}/change/").status_code == 403
