"""The proxies on items that are points on a line, where every figure can be said beforehand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ml.alignment import Span
from ml.encoding import Encoding
from ml.evaluation import proxies, report, views
from ml.evaluation.ablations import CodesShuffled, WithoutCodes
from ml.evaluation.catalogue import Track
from ml.evaluation.collect import Collection
from ml.evaluation.disguises import DISGUISES
from ml.evaluation.ours import TwoStages
from ml.evaluation.passages import Passage
from ml.evaluation.report import Report, Row
from ml.evaluation.systems import System
from ml.gaussian import fit
from ml.likeness import Match


class OnALine(System):
    """Items are numbers, distance is their difference; it always names the first 20 s."""

    name, extractor, locates = "line", "points", True

    def distances(self, queries, catalogue, *, left_out=False):
        return np.abs(np.subtract.outer(np.array(queries), np.array(catalogue)))

    def spans(self, queries, tracks):
        return [[Span(0.0, 20.0, 0.0, 20.0)]] * len(queries)


@pytest.fixture
def heard():
    """Soundtrack "a" at 0 and 1, "b" at 10 and 12; Kenta wrote one track of each."""
    points = [0.0, 1.0, 10.0, 12.0]
    names = [("a", "Kenta"), ("a", ""), ("b", "Kenta"), ("b", "")]
    found = Collection(
        tracks=[
            Track(Path(f"{n}.ogg"), f"music/{n}.ogg", soundtrack, str(n), artist)
            for n, (soundtrack, artist) in enumerate(names)
        ]
    )
    found.items["points", views.WHOLE] = points
    found.items["points", views.MIDDLE] = [0.0, 1.0, 10.0, 5.4]
    found.items["points", views.TREATED] = [0.0, 9.0, 10.0, 1.0]
    found.items["points", views.FIRST_HALF] = [0.0, 1.0, 10.0, 12.0]
    found.items["points", views.SECOND_HALF] = [0.2, 3.0, 12.5, 10.5]
    for name in DISGUISES:
        found.items["points", views.excerpt_view(name)] = [0.1, 1.1, 11.9, 12.1]
        at_the_start, later = Passage(0.0, 20.0), Passage(50.0, 20.0)
        repeated = Passage(50.0, 20.0, repeats=(50.0, 4.0))
    at_the_start, later = Passage(0.0, 20.0), Passage(50.0, 20.0)
    repeated = Passage(50.0, 20.0, repeats=(50.0, 4.0))
    found.passages = [
        dict.fromkeys(DISGUISES, passage)
        for passage in (at_the_start, later, at_the_start, repeated)
    ]
    return found


def value(result, name):
    figure = result.figures[name]
    return getattr(figure, "value", figure)


def test_proxy_1_asks_for_the_others_of_the_soundtrack(heard):
    found = proxies.same_soundtrack(OnALine(), heard, seed=0)
    assert value(found, "P@1") == 1.0
    assert value(found, "MAP") == 1.0
    assert value(found, "orphans") == 0.0
    assert found.by_soundtrack() == {"a": 1.0, "b": 1.0}


def test_proxy_1_is_repeated_on_the_middle_of_the_tracks_before_and_after_their_treatment(heard):
    found = proxies.same_soundtrack(OnALine(), heard, seed=0)
    assert value(found, "middle P@1") == 0.75
    assert value(found, "treated P@1") == 0.0


def test_an_artist_is_looked_for_outside_the_soundtrack(heard):
    found = proxies.same_soundtrack(OnALine(), heard, seed=0)
    # the one at 0 finds the other at 10 before 12; the one at 10 finds 1 before 0
    assert value(found, "artist P@1") == 0.5


def test_without_artists_there_is_no_figure_for_them(heard):
    heard.tracks = [
        Track(track.path, track.name, track.soundtrack, track.sha256) for track in heard.tracks
    ]
    assert "artist P@1" not in proxies.same_soundtrack(OnALine(), heard, seed=0).figures


def test_proxy_2_asks_for_the_track_and_then_for_the_place(heard):
    found = proxies.known_item(OnALine(), heard, seed=0)["room"]
    assert value(found, "top-1") == 0.75
    assert value(found, "top-5") == 1.0
    assert value(found, "span") == pytest.approx(1 / 3)
    assert value(found, "span or repeat") == pytest.approx(2 / 3)


def test_a_system_that_names_no_place_has_no_figure_for_it(heard):
    silent = OnALine()
    silent.locates = False
    assert "span" not in proxies.known_item(silent, heard, seed=0)["none"].figures


def test_proxy_3_asks_for_the_other_half(heard):
    found = proxies.two_halves(OnALine(), heard, seed=0)
    assert value(found, "top-1") == 0.25
    assert value(found, "MRR") == pytest.approx((1 + 1 / 2 + 1 / 2 + 1 / 2) / 4)


def test_the_whole_track_is_always_listened_to():
    assert proxies.wanted_views([3]) == ["whole", "first half", "second half"]
    assert len(proxies.wanted_views([1, 2, 3])) == 1 + 2 + len(DISGUISES) + 2


@pytest.fixture
def written(heard):
    """A report of two systems, the second of which answers the wrong way round."""

    class Backwards(OnALine):
        name = "backwards"

        def distances(self, queries, catalogue, *, left_out=False):
            return -super().distances(queries, catalogue)

    found = Report({"seed": 0}, heard.tracks, {"music/x.ogg": "damaged"}, under_test="line")
    for system in (OnALine(), Backwards()):
        found.rows[system.name] = Row(
            proxies.same_soundtrack(system, heard, 0),
            proxies.known_item(system, heard, 0),
            proxies.two_halves(system, heard, 0),
        )
    return found


def test_differences_are_paired_with_the_system_under_test(written):
    found = report.differences(written, seed=0)
    assert set(found) == {"backwards"}
    assert found["backwards"]["P@1"].value == 1.0
    assert not found["backwards"]["P@1"].contains_zero


def test_the_report_is_json_without_nan(written):
    document = json.loads(report.as_json(written, 0))
    assert document["systems"]["line"]["proxy 1"]["P@1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert document["systems"]["line"]["proxy 2"]["room"]["top-1"]["value"] == 0.75
    assert document["systems"]["backwards"]["proxy 3"]["top-1"]["value"] == 0.0
    assert document["failures"] == {"music/x.ogg": "damaged"}


def test_a_person_can_read_the_table(written):
    page = io.StringIO()
    report.show(written, Console(file=page, width=160), seed=0)
    text = page.getvalue()
    for expected in ("line", "backwards", "P@1 of a minute", "voice-over 0 dB", "music/x.ogg"):
        assert expected in text


def test_anybody_can_compute_p_at_1_again_from_the_ranks(written, tmp_path):
    path = tmp_path / "ranks.csv"
    found = written.rows["line"].same_soundtrack
    report.write_ranks(found, written.tracks, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["query"] for row in rows].count("music/0.ogg") == 3
    assert not any(row["query"] == row["track"] for row in rows)
    soundtrack = {track.name: track.soundtrack for track in written.tracks}
    first = [soundtrack[r["query"]] == soundtrack[r["track"]] for r in rows if r["rank"] == "1"]
    assert np.mean(first) == value(found, "P@1")


def test_every_plot_is_drawn_and_the_same_report_draws_the_same_file(written, tmp_path):
    from ml.evaluation import plots

    written.losses = {"line": {"loss": [3.0, 2.0]}}
    first = plots.draw(written, tmp_path / "first")
    again = plots.draw(written, tmp_path / "again")
    assert {path.stem for path in first} == {
        "training",
        "soundtracks",
        "confusion",
        "hubness",
        "disguises",
    }
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


def pointing(angle, codes=0):
    direction = np.array([np.cos(angle), np.sin(angle)], np.float32)
    return Encoding(direction, np.full((4, 1), codes, np.uint16), 0.5, 2.0, {})


def by_codes(queries, catalogue, shortlists, _located):
    """Ranks by the difference of the first code."""
    for query, shortlist in zip(queries, shortlists, strict=True):
        first = float(query.codes[0, 0])
        distances = {key: abs(float(catalogue[key].codes[0, 0]) - first) for key in shortlist}
        yield [Match(key, distance, False, ()) for key, distance in distances.items()]


def test_the_second_stage_decides_among_the_shortlist(monkeypatch):
    monkeypatch.setattr("ml.evaluation.ours.SHORTLIST", 2)
    catalogue = [pointing(0.0, 9), pointing(0.1, 3), pointing(0.5, 1), pointing(1.5, 2)]
    row = TwoStages("x", by_codes).distances([pointing(0.0, 1)], catalogue)[0]
    assert row[:2].tolist() == [8.0, 2.0]
    assert 8.0 < row[2] < row[3]  # not in the shortlist: in the order of the first stage


def test_a_left_out_track_does_not_answer_itself_nor_takes_a_place(monkeypatch):
    monkeypatch.setattr("ml.evaluation.ours.SHORTLIST", 1)
    catalogue = [pointing(0.0, 1), pointing(0.1, 1), pointing(0.3, 4)]
    rows = TwoStages("x", by_codes).distances(catalogue, catalogue, left_out=True)
    np.fill_diagonal(rows, np.inf)
    assert rows.argmin(axis=1).tolist() == [1, 0, 1]
    assert rows[2, 1] == 3.0


def test_an_ablation_changes_what_is_likened():
    catalogue = [pointing(0.0, number) for number in range(8)]
    shuffled = CodesShuffled(seed=1)(catalogue)
    numbers = [int(found.codes[0, 0]) for found in shuffled]
    assert sorted(numbers) == list(range(8))
    assert numbers != list(range(8))
    assert all(found.duration == 2.0 for found in shuffled)


def test_without_codes_a_piece_is_nearest_to_what_is_spread_alike():
    generator = np.random.default_rng(1)
    directions = [generator.normal(size=(4, 4)) for _ in range(3)]
    pieces = [generator.normal(size=(400, 4)) @ directions[i % 3] for i in range(9)]
    heard = [fit([piece], np.full(4, 0.02)) for piece in pieces]
    found = WithoutCodes().distances(heard, heard, left_out=True)
    assert np.all(np.isinf(found.diagonal()))
    assert (found.argmin(axis=1) % 3).tolist() == [0, 1, 2] * 3
    asked = WithoutCodes().distances(heard[:1], heard[1:])
    assert asked.argmin() + 1 in (3, 6)
