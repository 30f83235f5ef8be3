"""Answers follow the catalogue: merged tracks are renamed in them, withdrawn ones leave them."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from matcher.models import Upload
from tracks.models import DuplicatePair, Track
from tracks.services import duplicates, withdrawal

pytestmark = pytest.mark.django_db


def spare() -> Track:
    """A track that no answer names."""
    track = Track(title="Spare", sha256=hashlib.sha256(b"spare").hexdigest(), size=1)
    track.audio.save("x.wav", ContentFile(b"x"), save=False)
    track.save()
    return track


def merge(kept: Track, gone: Track) -> None:
    assert duplicates.propose(kept, gone, strength=0.9, spans=[])
    assert duplicates.merge(DuplicatePair.objects.get(), kept)


def test_an_answer_that_names_a_merged_track_names_the_kept_one(
    answered: Upload, tracks: list[Track]
) -> None:
    kept = spare()
    merge(kept, gone=tracks[0])
    assert [match.track for match in answered.matches.all()] == [kept, tracks[1], tracks[2]]


def test_an_answer_that_names_both_keeps_the_row_of_the_kept_one(
    answered: Upload, tracks: list[Track]
) -> None:
    merge(tracks[1], gone=tracks[0])
    assert list(answered.matches.values_list("rank", "track")) == [
        (2, tracks[1].pk),
        (3, tracks[2].pk),
    ]


def test_a_withdrawn_track_leaves_old_answers_at_once_and_the_page_says_so_without_its_name(
    answered: Upload, tracks: list[Track], owner_client: Client
) -> None:
    withdrawal.withdraw(tracks[0], "No rights")
    page = owner_client.get(answered.get_absolute_url()).content.decode()
    assert "Piece 0" not in page
    assert f"/catalogue/{tracks[0].pk}/" not in page
    assert "Piece 1" in page
    assert "1 track that was found has been withdrawn" in page
    assert "Piece 0" not in owner_client.get("/uploads/").content.decode()


def test_an_answer_of_nothing_but_withdrawn_tracks_offers_to_search_again(
    answered: Upload, tracks: list[Track], owner_client: Client
) -> None:
    for track in tracks:
        withdrawal.withdraw(track, "No rights")
    page = owner_client.get(answered.get_absolute_url()).content.decode()
    assert "The tracks we found are gone" in page


def test_each_answer_says_its_licence_or_that_none_is_stated(
    answered: Upload, tracks: list[Track], owner_client: Client
) -> None:
    Track.objects.filter(pk=tracks[1].pk).update(licence="", genre="Folk", year=1999)
    page = owner_client.get(answered.get_absolute_url()).content.decode()
    assert page.count("Licence: CC0-1.0") == 2
    assert page.count("Licence: not stated") == 1
    assert "Folk" in page
    assert "1999" in page
