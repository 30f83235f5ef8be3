"""Looking for tracks by words, by letters and by what they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tracks import selectors
from tracks.models import Track, TrackQuerySet
from tracks.words import having_words, spelled_alike

pytestmark = pytest.mark.django_db


def make(title: str, **fields: str) -> Track:
    number = Track.objects.count()
    return Track.objects.create(
        title=title, audio=f"tracks/{number}.ogg", sha256=f"{number:064x}", size=1, **fields
    )


def titles(tracks: TrackQuerySet) -> list[str]:
    return [track.title for track in tracks]


def found(query: str, **texts: str) -> tuple[list[str], bool]:
    tracks, exact = selectors.look_for(query, **texts)
    return titles(tracks), exact


@pytest.fixture
def music(db: None) -> None:
    make("Chase", soundtrack="drascula", artist="Emilio", genre="Rock", licence="MIT")
    make("Graveyard", soundtrack="drascula", artist="Emilio", genre="Ambient", licence="MIT")
    make("7 Days", soundtrack="wizznic", artist="Sean Hawk", genre="Rock", licence="GPL-3")
    make("Drascula's Waltz", soundtrack="other", artist="AC/DC", genre="Waltz")


def test_every_word_must_be_there_as_a_whole_or_as_a_beginning(music: None) -> None:
    assert found("hawk 7") == (["7 Days"], True)
    assert found("wizz DAY") == (["7 Days"], True)
    assert found("ac/dc") == (["Drascula's Waltz"], True)


def test_a_word_of_the_title_counts_more_than_one_of_the_soundtrack(music: None) -> None:
    assert found("drascula") == (["Drascula's Waltz", "Chase", "Graveyard"], True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("drascla", "Chase"), ("graveyrad", "Graveyard"), ("wezznic", "7 Days"), ("emillio", "Chase")],
)
def test_a_word_with_a_wrong_letter_finds_what_is_spelled_much_like_it(
    music: None, typed: str, meant: str
) -> None:
    tracks, exact = found(typed)
    assert not exact
    assert meant in tracks


@pytest.mark.parametrize("typed", ["xyzzy", "!?", "%", "' & | ! :*", "\\"])
def test_what_is_like_nothing_finds_nothing(music: None, typed: str) -> None:
    assert found(typed) == ([], False)


def test_a_search_can_be_narrowed_to_what_tracks_are(music: None) -> None:
    assert found("", genre="Rock") == (["Chase", "7 Days"], True)
    assert found("emilio", genre="Ambient") == (["Graveyard"], True)
    assert found("drascla", licence="GPL-3") == ([], False)


def test_a_withdrawn_track_is_not_found(music: None) -> None:
    Track.objects.filter(title="7 Days").update(audio="", withdrawn_at="2026-01-01T00:00Z")
    assert found("wizznic") == ([], False)


@pytest.mark.parametrize(
    ("search", "index"), [(having_words, "track_words"), (spelled_alike, "track_letters")]
)
def test_both_searches_use_their_index(
    music: None, search: Callable[[TrackQuerySet, str], TrackQuerySet], index: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    with CaptureQueriesContext(connection) as asked:
        list(search(Track.objects.shown(), "drascula"))
    plans = [_plan(one["sql"]) for one in asked if one["sql"].startswith("SELECT")]
    assert any(index in plan for plan in plans)


def _plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(row[0] for row in cursor.fetchall())


def test_choices_are_the_different_texts_in_their_order(music: None) -> None:
    assert selectors.choices("soundtrack") == ["drascula", "other", "wizznic"]
    assert selectors.choices("licence") == ["GPL-3", "MIT"]
