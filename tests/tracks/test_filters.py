"""Filters: as they are kept, and as they narrow a search of the bundled model's codes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.db.models import F

from ml.encoding import Encoding
from ml.model import Model
from ml.pretrained import DEFAULT
from tests.tracks.test_search import clustered, fill, prefer_the_index
from tracks import first_stage
from tracks.filters import NO_FILTERS, Filters
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.search import Found, nearest, nearest_to_several
from tracks.selectors import heard_entries
from tracks.services import index
from tracks.services.catalogue import edit_texts
from tracks.services.versions import install_model
from tracks.services.withdrawal import withdraw

TRACKS, SOUNDTRACKS = 131, 12
WIDE = 32


# --- as they are kept ----------------------------------------------------------------------


def test_only_what_is_set_is_kept_and_it_comes_back_as_it_was() -> None:
    filters = Filters(genre="Ambient", tempo_from=90, seconds_to=120.5)
    kept = {"genre": "Ambient", "tempo_from": 90, "seconds_to": 120.5}
    assert filters.as_json() == kept
    assert Filters.from_json(kept) == filters
    assert Filters.from_json({"unheard of": 1, "artist": "", "tempo_to": None}) == NO_FILTERS
    assert NO_FILTERS.empty
    assert not filters.empty


@pytest.mark.parametrize("name", ["tempo_from", "seconds_to"])
def test_a_limit_that_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        Filters.from_json({name: "fast"})


@pytest.mark.parametrize(
    ("filters", "possible"),
    [
        (Filters(), True),
        (Filters(tempo_from=90, tempo_to=90), True),
        (Filters(tempo_from=91, tempo_to=90), False),
        (Filters(seconds_from=20, seconds_to=10), False),
        (Filters(tempo_to=-1), False),
        (Filters(seconds_from=float("nan")), False),
        (Filters(seconds_to=float("inf")), False),
    ],
)
def test_a_range_that_lets_nothing_through_is_not_possible(
    filters: Filters, possible: bool
) -> None:
    assert filters.possible is possible


# --- as they narrow a search ---------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(DEFAULT)


@pytest.fixture(scope="module")
def music(model: Model) -> list[Encoding]:
    """Pieces of a dozen styles: each walks among the codes of its style, and now and then off."""
    random = np.random.default_rng(7)
    styles = random.integers(256, size=(SOUNDTRACKS, 24, 16))
    return [_piece(model, styles[number % SOUNDTRACKS], random) for number in range(TRACKS + 1)]


def _piece(model: Model, style: np.ndarray, random: np.random.Generator) -> Encoding:
    codes = style[random.integers(len(style), size=80)]
    strayed = random.random(codes.shape) < 0.3
    codes = np.where(strayed, random.integers(256, size=codes.shape), codes).astype(np.uint16)
    facts = {"tempo": float(random.integers(60, 200))}
    return Encoding(model.embedding(codes), codes, 0.5, 40.0, facts)


@pytest.fixture
def version(db: None, music: list[Encoding]) -> ModelVersion:
    """The bundled model with 131 entries; the last piece of the music is what is asked."""
    version = install_model(DEFAULT)[0]
    fill(version, music[:TRACKS])
    for number, track in enumerate(Track.objects.order_by("pk")):
        track.soundtrack = f"Game {number % SOUNDTRACKS}"
        track.artist = f"Artist {number % 7}"
        track.genre = "Ambient" if number % 5 else "Rock"
        track.licence = "CC0-1.0" if number % 3 else "GPL-3.0-only"
        track.duration = 30.0 + number
        track.save()
    return version


def exactly(model: Model, version: ModelVersion, query: Encoding) -> list[tuple[str, float]]:
    """Titles and distances of all entries, ranked with no first stage and no filter."""
    entries = {entry.pk: entry for entry in heard_entries(version).select_related("track")}
    heard = {pk: Encoding.from_bytes(entry.heard) for pk, entry in entries.items()}
    ranked = model.rank(query, {pk: model.piece(each) for pk, each in heard.items()}, 0)
    return [(entries[match.key].track.title, match.distance) for match in ranked]


def told(found: list[Found]) -> list[tuple[str, Any]]:
    return [(one.track.title, pytest.approx(one.distance)) for one in found]


def test_a_filter_that_leaves_3_of_131_tracks_returns_these_as_exact_search_ranks_them(
    model: Model, version: ModelVersion, music: list[Encoding]
) -> None:
    left = ["Track 17", "Track 60", "Track 103"]
    Track.objects.filter(title__in=left).update(artist="Olivia")
    exact = [one for one in exactly(model, version, music[TRACKS]) if one[0] in left]
    found = nearest(version, music[TRACKS], filters=Filters(artist="olivia"))
    assert len(found) == 3
    assert told(found) == exact


def test_a_filtered_track_is_as_far_away_as_it_is_without_the_filter(
    model: Model, version: ModelVersion, music: list[Encoding]
) -> None:
    exact = dict(exactly(model, version, music[TRACKS]))
    found = nearest(version, music[TRACKS], filters=Filters(soundtrack="Game 3"))
    assert [exact[one.track.title] for one in found] == pytest.approx(
        [one.distance for one in found]
    )


@pytest.mark.parametrize(
    "filters",
    [
        Filters(soundtrack="game 4"),
        Filters(artist="Artist 2", licence="CC0-1.0"),
        Filters(genre="Rock"),
        Filters(seconds_from=40, seconds_to=44),
        Filters(seconds_to=31),
    ],
)
def test_a_search_finds_what_fits_and_nothing_else(
    version: ModelVersion, music: list[Encoding], filters: Filters
) -> None:
    fitting = set(heard_entries(version).filter(filters.of_entries()).values_list("track"))
    found = {(one.track.pk,) for one in nearest(version, music[TRACKS], filters=filters)}
    assert found <= fitting
    assert len(found) == min(10, len(fitting))
    assert found


def test_a_tempo_is_a_plain_range_in_which_half_of_it_does_not_lie(
    version: ModelVersion, music: list[Encoding]
) -> None:
    IndexEntry.objects.update(tempo=60)
    IndexEntry.objects.filter(track__title__in=["Track 1", "Track 2"]).update(tempo=120)
    IndexEntry.objects.filter(track__title="Track 3").update(tempo=None)
    found = nearest(version, music[TRACKS], filters=Filters(tempo_from=110, tempo_to=120))
    assert {one.track.title for one in found} == {"Track 1", "Track 2"}


def test_filters_narrow_the_search_for_several_pieces_too_and_the_seeds_are_left_out(
    version: ModelVersion, music: list[Encoding]
) -> None:
    tracks = list(Track.objects.order_by("pk"))
    seeds = {tracks[4].pk, tracks[16].pk}
    found = nearest_to_several(
        version, [music[4], music[16]], [], without=seeds, filters=Filters(soundtrack="Game 4")
    )
    assert len(found) == 9
    assert {one.track.soundtrack for one in found} == {"Game 4"}
    assert not seeds & {one.track.pk for one in found}


# --- beside an approximate index -----------------------------------------------------------


@pytest.fixture
def wide(db: None, artefact_folder: Any) -> ModelVersion:
    return install_model(artefact_folder("wide", embedding_dim=WIDE))[0]


def prepared(version: ModelVersion, rare: int) -> list[Encoding]:
    """2,000 entries, of which every so many are of a rare genre, and an index that is used."""
    encodings = clustered(2000, seed=1)
    fill(version, encodings)
    Track.objects.filter(pk__in=_every(rare)).update(genre="Rare")
    prefer_the_index()
    return encodings


def _every(rare: int) -> list[int]:
    return list(Track.objects.order_by("pk").values_list("pk", flat=True))[::rare]


def exact_pks(encodings: list[Encoding], query: Encoding, rare: int) -> list[int]:
    order = list(IndexEntry.objects.order_by("track_id").values_list("pk", flat=True))[::rare]
    close = np.array([each.embedding for each in encodings[::rare]]) @ query.embedding
    return [order[place] for place in np.argsort(-close, kind="stable")]


@pytest.mark.parametrize("few", [0, 20_000], ids=["by the index", "one by one"])
def test_a_rare_filter_gives_as_many_candidates_as_fit(
    wide: ModelVersion, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(first_stage, "FEW", few)
    encodings = prepared(wide, rare=100)
    for query in clustered(5, seed=2):
        found = first_stage.closest(wide, query.embedding.tolist(), filters=Filters(genre="Rare"))
        exact = exact_pks(encodings, query, 100)
        assert (set(found), found[:3]) == (set(exact), exact[:3])


def test_a_walk_along_the_index_that_ends_too_early_is_made_good(
    wide: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_stage, "FEW", 0)
    monkeypatch.setattr(first_stage, "_walked", lambda *_: [])
    encodings = prepared(wide, rare=100)
    (query,) = clustered(1, seed=2)
    found = first_stage.closest(wide, query.embedding.tolist(), filters=Filters(genre="Rare"))
    assert set(found) == set(exact_pks(encodings, query, 100))


def test_a_whole_text_in_any_case_is_looked_up_in_an_index(wide: ModelVersion) -> None:
    prepared(wide, rare=100)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_bitmapscan = on")
        cursor.execute("ANALYZE tracks_track, tracks_indexentry")
    fitting = heard_entries(wide).filter(Filters(genre="rare").of_entries())
    assert "track_by_upper_genre" in fitting.explain()


def test_what_the_planner_expects_to_be_few_is_compared_one_by_one(
    wide: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(wide, rare=100)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tracks_track, tracks_indexentry")
    every = heard_entries(wide)
    monkeypatch.setattr(first_stage, "FEW", 5)  # 224 of 2,000
    assert first_stage._are_few(every.filter(Filters(genre="Rare").of_entries()), every)
    assert not first_stage._are_few(every, every)


def test_the_vectors_of_a_range_of_tempi_are_read_from_the_index_alone(wide: ModelVersion) -> None:
    encodings = prepared(wide, rare=100)
    IndexEntry.objects.update(tempo=F("track_id") % 140 + 60)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tracks_track, tracks_indexentry")
    fitting = heard_entries(wide).filter(Filters(tempo_from=90, tempo_to=92).of_entries())
    plan = first_stage.exactly(fitting, encodings[0].embedding.tolist())[:200].explain()
    assert "Index Only Scan using entry_by_tempo" in plan


def test_what_fits_is_found_exactly_after_it_was_edited_heard_anew_and_withdrawn(
    wide: ModelVersion,
) -> None:
    encodings = prepared(wide, rare=2)
    IndexEntry.objects.update(tempo=100.0)
    tracks = list(Track.objects.order_by("pk"))
    fitting = set(range(0, 2000, 2))
    for number in range(0, 60, 6):
        edit_texts(tracks[number], {"genre": "Else"})
        edit_texts(tracks[number + 1], {"genre": "rare"})
        heard_again(tracks[number + 2], encodings[number + 2], tempo=111.0)
        withdraw(tracks[number + 4], "A test.")
        fitting ^= {number, number + 1, number + 2, number + 4}
    filters = Filters(genre="Rare", tempo_from=90, tempo_to=110)
    vectors = np.array([each.embedding for each in encodings], np.float16).astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for query in clustered(5, seed=2):
        found = first_stage.closest(wide, query.embedding.tolist(), filters=filters)
        close = vectors @ query.embedding.astype(np.float16)
        exact = sorted(fitting, key=lambda number: -close[number])[: first_stage.CANDIDATES]
        entries = IndexEntry.objects.in_bulk(found)
        given = [entries[pk].track_id for pk in found]
        wanted = [tracks[number].pk for number in exact]
        assert (given[:10], set(given)) == (wanted[:10], set(wanted))


def heard_again(track: Track, heard: Encoding, tempo: float) -> None:
    IndexEntry.objects.filter(track=track).update(state="PENDING")
    entry = index.claim()
    assert entry is not None
    assert index.complete(
        entry,
        embedding=heard.embedding.tolist(),
        encoding=heard.to_bytes(),
        duration=heard.duration,
        tempo=tempo,
    )


def test_the_widest_vectors_that_a_version_may_have_are_indexed(
    db: None, artefact_folder: Any
) -> None:
    version = install_model(artefact_folder("widest", embedding_dim=1300))[0]
    embedding = np.random.default_rng(0).normal(size=1300).astype(np.float32)
    fill(version, [Encoding(embedding, np.zeros((10, 16), np.uint16), 0.5, 5.0, {"tempo": 90.0})])
    assert len(first_stage.closest(version, embedding.tolist())) == 1
    with pytest.raises(IntegrityError, match="embedding_can_be_indexed"):
        ModelVersion.objects.update(embedding_dim=1301)


# --- the column of the tempo ---------------------------------------------------------------


def test_the_migration_fills_the_tempo_of_what_is_there(version: ModelVersion) -> None:
    assert not IndexEntry.objects.filter(tempo__isnull=False).exists()
    IndexEntry.objects.filter(track__title="Track 0").update(encoding=b"no archive")
    import_module("tracks.migrations.0005_searching").fill_tempo(apps, None)
    assert IndexEntry.objects.filter(tempo__gte=60).count() == TRACKS - 1
