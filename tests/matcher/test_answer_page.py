"""The page of an answer: its pictures, its reasons, and what it does without either."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from matcher.models import Match, State, Upload
from tests.matcher.conftest import Upper, add_track
from tests.matcher.looks import REASONS, add_pictures, peaks
from tracks.models import ModelVersion, Track
from tracks.services import versions
from tracks.waveforms import waveform

SPANS = [
    {"query": [2.0, 6.0], "match": [1.0, 5.0]},
    {"query": [8.0, 12.0], "match": [5.5, 9.5]},
    {"query": [14.0, 18.0], "match": [0.0, 4.0]},
]


@pytest.fixture
def pictured(answered: Upload) -> Upload:
    add_pictures(answered)
    return answered


@pytest.fixture
def full(upload: Upper, version: ModelVersion) -> Upload:
    """Ten matches with long names, pictures, reasons and as many spans as there can be."""
    done = upload(State.FINISHED)
    for rank in range(1, 11):
        track = add_track(version, 100 + rank)
        Track.objects.filter(pk=track.pk).update(
            title=f"The {rank}. piece of a rather long name, in a new arrangement for orchestra",
            genre="Orchestral",
            year=2009,
            source_url="https://packages.debian.org/bookworm/a-game-data",
        )
        matched = {"score": 80.0, "distance": 0.1, "spans": SPANS, "reasons": REASONS}
        Match.objects.create(upload=done, rank=rank, track=track, **matched)
    add_pictures(done)
    return done


def page_of(client: Client, upload: Upload) -> str:
    return client.get(f"/uploads/{upload.pk}/").content.decode()


# --- pictures ------------------------------------------------------------------------------


def test_a_waveform_has_a_bar_for_each_stretch_as_high_as_its_loudest_sample() -> None:
    columns = bytearray(1600)
    columns[0:4] = [10, 255, 3, 0]  # the first bar of a large picture
    columns[800:804] = [51] * 4
    wave = waveform(bytes(columns))
    assert wave.loudest.startswith("M.5 1v62m1-32v2m1-2v2")
    assert wave.usual.startswith("M.5 26v12m1-7v2m1-2v2")
    assert wave.loudest.count("v") == wave.usual.count("v") == 160


def test_a_small_waveform_is_one_path_of_fewer_bars() -> None:
    wave = waveform(memoryview(peaks(1)), small=True)
    assert (wave.loudest.count("v"), wave.count, wave.usual) == (50, 50, "")


@pytest.mark.parametrize("kept", [None, b"", b"\0" * 100], ids=["none", "empty", "of another size"])
def test_a_piece_without_peaks_has_no_waveform(kept: bytes | None) -> None:
    assert waveform(kept).loudest == ""


def test_both_pieces_are_drawn_with_their_codes_in_a_size_that_is_known_before_they_load(
    owner_client: Client, pictured: Upload, tracks: list[Track]
) -> None:
    page = page_of(owner_client, pictured)
    assert 'id="wave-yours"' in page
    assert 'id="wave-theirs-1"' in page
    for address in (f"/uploads/{pictured.pk}/strip.png", f"/catalogue/{tracks[0].pk}/strip.png"):
        assert f'<img class="strip" src="{address}" width="800" height="8" alt="">' in page
    assert "similar colours sound alike" in page


def test_your_small_waveform_is_drawn_once_for_all_matches(
    owner_client: Client, pictured: Upload
) -> None:
    page = page_of(owner_client, pictured)
    assert page.count('<path id="yours-small"') == 1
    assert page.count('<use href="#yours-small"/>') == 2


def test_an_answer_from_before_there_were_pictures_still_shows_where_it_matches(
    owner_client: Client, answered: Upload
) -> None:
    page = page_of(owner_client, answered)
    assert 'class="strip"' not in page
    assert "similar colours" not in page
    assert 'class="plain"' in page
    assert page.count('<rect x="60.0%" width="30.0%"/>') == 1


def test_colours_of_another_model_version_are_not_laid_beside_each_other(
    owner_client: Client, pictured: Upload, second: ModelVersion
) -> None:
    versions.activate(second)
    assert 'class="strip"' not in page_of(owner_client, pictured)


# --- spans ---------------------------------------------------------------------------------


def test_a_span_is_a_pair_of_numbered_places_that_lead_to_their_seconds(
    owner_client: Client, pictured: Upload, tracks: list[Track]
) -> None:
    page = page_of(owner_client, pictured)
    yours, theirs = f"/uploads/{pictured.pk}/audio/", f"/catalogue/{tracks[0].pk}/audio/"
    for address in (f"{yours}#t=12.0,18.0", f"{theirs}#t=2.0,8.0"):
        assert f'<a href="{address}" data-pair="1"' in page
        assert f'<a href="{address}">' in page  # in words, for those without scripts
    assert '<path data-pair="1" d="M60.0 0' in page


def test_the_button_of_a_span_knows_the_seconds_of_both_and_says_them(
    owner_client: Client, pictured: Upload
) -> None:
    page = page_of(owner_client, pictured)
    found = re.search(r"<button[^>]*data-at=\"12.0,18.0,2.0,8.0\">(.*?)</button>", page)
    assert found is not None
    words = re.sub(r"<[^>]+>", "", found[1])
    assert words == "1 0:12–0:18 of yours, then → 0:02–0:08 of theirs"


def test_an_answer_without_spans_says_that_no_moment_stands_out(
    owner_client: Client, pictured: Upload
) -> None:
    Match.objects.update(spans=[])
    page = page_of(owner_client, pictured)
    assert "No single moment stands out" in page
    assert "Escape stops" not in page


# --- reasons and the next closest ----------------------------------------------------------


def test_the_reasons_stand_with_their_numbers_under_the_answer(
    owner_client: Client, full: Upload
) -> None:
    page = page_of(owner_client, full)
    reasons = page[page.index('id="why"') : page.index('id="others"')]
    assert reasons.count("<li>") == 3
    assert "<h3>Tempo</h3><p>The same tempo</p>" in reasons
    assert "120 and 118 beats a minute" in reasons


def test_an_answer_from_before_there_were_reasons_lacks_them(
    owner_client: Client, answered: Upload
) -> None:
    assert 'id="why"' not in page_of(owner_client, answered)


def test_four_of_the_next_closest_are_shown_and_the_rest_on_request(
    owner_client: Client, full: Upload
) -> None:
    page = page_of(owner_client, full)
    assert re.findall(r'data-rank="(\d+)"', page) == ["2", "3", "4", "5"]
    (more,) = re.findall(r'<p id="rest"><a[^>]* href="(.*?)"[^>]*>Show 5 more<', page)
    page = owner_client.get(full.get_absolute_url() + more).content.decode()
    assert re.findall(r'data-rank="(\d+)"', page) == [str(rank) for rank in range(2, 11)]
    assert "Show" not in page[page.index('id="rest"') :]


def test_few_matches_need_no_more(owner_client: Client, pictured: Upload) -> None:
    assert 'id="rest"' not in page_of(owner_client, pictured)


def test_a_page_of_ten_matches_is_small_and_asks_the_database_little(
    owner_client: Client, full: Upload, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(13):
        page = page_of(owner_client, full)
    assert len(page.encode()) < 60_000


# --- other questions -----------------------------------------------------------------------


def test_a_question_about_an_upload_plays_what_that_one_sent(
    owner_client: Client, owner: Any, pictured: Upload
) -> None:
    again = asked(owner, pictured.model_version, parent=pictured)
    Match.objects.update(upload=again)
    assert f'id="yours" controls preload="none" src="/uploads/{pictured.pk}/audio/"' in page_of(
        owner_client, again
    )


def test_a_question_about_tracks_plays_the_first_that_is_left(
    owner_client: Client, owner: Any, pictured: Upload, tracks: list[Track]
) -> None:
    like = [0, tracks[2].pk, tracks[1].pk]
    again = asked(owner, pictured.model_version, question={"like": like})
    Match.objects.update(upload=again)
    address = f"/catalogue/{tracks[2].pk}/audio/"
    assert f'id="yours" controls preload="none" src="{address}"' in page_of(owner_client, again)


def test_a_question_about_tracks_that_are_gone_shows_only_theirs(
    owner_client: Client, owner: Any, pictured: Upload
) -> None:
    again = asked(owner, pictured.model_version, question={"like": [0]})
    Match.objects.update(upload=again)
    page = page_of(owner_client, again)
    assert 'id="theirs-1"' in page
    assert 'id="yours"' not in page
    assert 'class="span"' not in page


def asked(owner: Any, version: ModelVersion | None, **fields: Any) -> Upload:
    """A finished question without a file of its own."""
    fields |= {"owner": owner, "model_version": version, "finished_at": timezone.now()}
    return Upload.objects.create(
        state=State.FINISHED, size=0, duration=20.0, original_name="Again", **fields
    )


def test_a_long_title_is_set_smaller(owner_client: Client, answered: Upload) -> None:
    assert '<h1 class="answer-title">' in page_of(owner_client, answered)
    Track.objects.update(title="A name that goes on and on " * 8)
    assert '<h1 class="answer-title long">' in page_of(owner_client, answered)
