"""Asking without a file: what is queued, what it is called, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matcher import question_words, services
from matcher.errors import TEXTS, Family, UploadError
from matcher.models import State, Upload
from matcher.questions import Question, question_of
from tests.matcher.conftest import Upper
from tracks.basket import MOST_SEEDS
from tracks.filters import Filters
from tracks.models import Track

pytestmark = pytest.mark.django_db


def test_a_question_about_an_upload_is_queued_without_a_file(
    owner: Any, answered: Upload, settings: Any
) -> None:
    filters = Filters(soundtrack="A game", tempo_from=90)
    asked = services.ask(owner, parent=answered, span=(2.0, 9.5), filters=filters)
    kept = Upload.objects.get(pk=asked.pk)
    assert (kept.state, kept.owner, kept.parent) == (State.QUEUED, owner, answered)
    assert (kept.audio.name, kept.size, kept.sha256) == ("", 0, "")
    assert kept.question == {
        "filters": {"soundtrack": "A game", "tempo_from": 90},
        "span": [2.0, 9.5],
    }
    assert question_of(kept) == Question(filters, (2.0, 9.5))
    assert kept.original_name == (
        "song.mp3 · between 0:02 and 0:10 of yours · among tracks of A game, with at least 90 bpm"
    )


def test_a_question_of_tracks_keeps_each_once_and_is_called_after_them(
    owner: Any, tracks: list[Track]
) -> None:
    one, two, three = tracks
    asked = services.ask(owner, like=[two, one, two], unlike=[three])
    assert asked.parent is None
    assert asked.question == {"like": [two.pk, one.pk], "unlike": [three.pk]}
    assert asked.original_name == "Like “Piece 1” and “Piece 0” · unlike “Piece 2”"


@pytest.mark.django_db(transaction=True)
def test_a_question_nudges_a_worker(
    owner: Any, answered: Upload, messages: Callable[[], int]
) -> None:
    services.ask(owner, parent=answered)
    assert messages() == 1


def test_a_question_about_a_question_is_about_the_upload_behind_it(
    owner: Any, answered: Upload, tracks: list[Track]
) -> None:
    first = services.ask(owner, parent=answered, filters=Filters(genre="Rock"))
    again = services.ask(owner, parent=first, span=(0, 10))
    assert (again.parent, again.question) == (answered, {"span": [0, 10]})


def test_a_question_about_a_question_of_tracks_asks_for_the_same_tracks(
    owner: Any, tracks: list[Track]
) -> None:
    first = services.ask(owner, like=tracks[:2], unlike=tracks[2:], filters=Filters(genre="Rock"))
    again = services.ask(owner, parent=first, filters=Filters(artist="An artist"))
    assert again.parent is None
    assert again.question == {
        "filters": {"artist": "An artist"},
        "like": [track.pk for track in tracks[:2]],
        "unlike": [tracks[2].pk],
    }


def test_a_stretch_that_runs_over_the_end_is_cut_there(owner: Any, answered: Upload) -> None:
    assert services.ask(owner, parent=answered, span=(10, 21)).question == {"span": [10, 20.0]}


@pytest.mark.parametrize(
    ("span", "code"),
    [
        ((-1.0, 10.0), "bad-span"),
        ((10.0, 5.0), "bad-span"),
        ((20.0, 30.0), "bad-span"),
        ((0.0, float("inf")), "bad-span"),
        ((float("nan"), 10.0), "bad-span"),
        ((3.0, 7.9), "short-span"),
        ((16.0, 30.0), "short-span"),
    ],
)
def test_a_stretch_that_is_not_there_or_too_short_is_refused(
    owner: Any, answered: Upload, span: tuple[float, float], code: str
) -> None:
    with pytest.raises(UploadError) as refusal:
        services.ask(owner, parent=answered, span=span)
    assert refusal.value.code == code
    assert Upload.objects.count() == 1


def test_what_makes_no_question_is_refused(
    owner: Any, answered: Upload, upload: Upper, tracks: list[Track]
) -> None:
    waiting = upload(State.QUEUED)
    many = [Track(pk=number) for number in range(MOST_SEEDS + 1)]
    for code, asked in (
        ("nothing-asked", {"unlike": tracks}),
        ("not-ended", {"parent": waiting}),
        ("too-many-seeds", {"like": many}),
        ("both-ways", {"like": tracks[:2], "unlike": tracks[1:]}),
        ("bad-filters", {"parent": answered, "filters": Filters(tempo_from=9, tempo_to=8)}),
        ("bad-span", {"like": tracks, "span": (0.0, 10.0)}),
    ):
        with pytest.raises(UploadError) as refusal:
            services.ask(owner, **asked)
        assert refusal.value.code == code
        assert TEXTS[code].family is Family.VISITOR
    assert Upload.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_deleting_an_upload_deletes_the_questions_about_it(
    owner: Any, answered: Upload, tracks: list[Track]
) -> None:
    services.ask(owner, parent=answered)
    other = services.ask(owner, like=tracks)
    path = Path(answered.audio.path)
    services.delete_upload(answered)
    assert list(Upload.objects.all()) == [other]
    assert not path.exists()
    services.delete_upload(other)
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question(like=(1,)), "Like “One”"),
        (Question(like=(1, 2, 9)), "Like “One”, “Two” and a track that is gone"),
        (Question(span=(12, 31)), "Between 0:12 and 0:31 of yours"),
        (
            Question(
                Filters(artist="Ann", genre="Rock", licence="MIT", tempo_from=90, tempo_to=99)
            ),
            "Among tracks by Ann, of the genre Rock, under the licence MIT, with 90 to 99 bpm",
        ),
        (Question(Filters(seconds_to=90)), "Among tracks with a length of at most 1:30"),
        (Question(), ""),
    ],
)
def test_what_was_asked_is_said_in_words(question: Question, words: str) -> None:
    assert question_words.asked(question, {1: "One", 2: "Two"}) == words
