"""The whole tool on a few short synthesised pieces."""

from __future__ import annotations

import csv
import json
from functools import partial

import pytest
import soundfile

from ml import evaluate, synth
from ml.evaluation.cache import Cache
from ml.evaluation.catalogue import find_tracks
from ml.evaluation.collect import Collector
from ml.pretrained import DEFAULT

STYLES = list(synth.STYLES)[:2]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two styles, three pieces each, 12 s long, and a file that only looks like music."""
    folder = tmp_path_factory.mktemp("music")
    for number, style in enumerate(STYLES):
        (folder / style).mkdir()
        for turn in range(3):
            piece = synth.compose(10 * number + turn, style)
            samples = synth.render(piece, 12.0)
            soundfile.write(folder / style / f"{turn}.flac", samples, synth.SAMPLE_RATE)
    (folder / STYLES[0] / "broken.flac").write_bytes(b"fLaC" + bytes(100))
    return folder


def run(music, tmp_path, *more):
    """The tool's exit status and its JSON."""
    path = tmp_path / "report.json"
    common = ["--cache", str(tmp_path / "cache"), "--json", str(path)]
    status = evaluate.main([str(music), *common, *more])
    return status, json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture(scope="module")
def measured(music, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("run")
    ranks = ["--ranks", str(tmp_path / "ranks.csv")]
    status, document = run(music, tmp_path, "--baselines", "--model", str(DEFAULT), *ranks)
    return status, document, tmp_path


def test_every_system_is_measured_in_every_proxy(measured):
    status, document, _ = measured
    assert status == 0
    assert list(document["systems"]) == [
        DEFAULT.name,
        "codes only",
        "without codes",
        "codes shuffled between tracks",
        "random",
        "original",
        "original, cured",
        "MFCC-140 cosine",
        "MFCC Gaussian KL",
        "MFCC Gaussian KL + MP",
    ]
    systems = dict(document["systems"])
    shuffled = systems.pop("codes shuffled between tracks")
    assert {name for name in shuffled if name.startswith("proxy")} == {"proxy 1"}
    for row in systems.values():
        assert {"proxy 1", "proxy 2", "proxy 3"} <= set(row)


def test_a_system_that_hears_finds_the_excerpts_and_the_style(measured):
    row = measured[1]["systems"]["MFCC Gaussian KL"]
    assert row["proxy 1"]["P@1"]["value"] >= 5 / 6
    assert row["proxy 2"]["none"]["top-1"]["value"] == 1.0
    assert row["proxy 2"]["mp3 64 kbit/s"]["top-1"]["value"] >= 1 / 2  # six tracks: chance is 1 / 6


def test_the_model_finds_the_excerpts_and_says_where_they_lie(measured):
    found = measured[1]["systems"][DEFAULT.name]["proxy 2"]["none"]
    assert found["top-1"]["value"] == 1.0
    assert found["span or repeat"]["value"] >= 5 / 6


def test_every_codebook_is_reported(measured):
    books = measured[1]["codebooks"]
    assert books
    assert all(0 < book["usage"] <= 1 <= book["perplexity"] <= book["size"] for book in books)


def test_a_damaged_file_is_left_out_with_its_reason(measured):
    failures = measured[1]["failures"]
    assert len(measured[1]["tracks"]) == 6
    assert next(iter(failures.values())).startswith("damaged")


def test_the_report_says_what_the_run_took(measured):
    assert measured[1]["minutes"] > 0
    assert 100 < measured[1]["peak_memory_mb"] < 4000
    assert measured[1]["settings"]["seed"] == 0


def test_the_ranks_are_those_of_the_first_system(measured):
    with (measured[2] / "ranks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 5
    assert set(rows[0]) == {"query", "rank", "track", "distance"}


def test_what_was_heard_once_is_not_listened_to_again(measured, music):
    def report(done, total):
        raise AssertionError("there was something left to hear")

    tracks = [track for track in find_tracks([music]) if "broken" not in track.name]
    with Cache(measured[2] / "cache") as cache:
        collector = Collector(partial(evaluate.extractors, DEFAULT, True), cache, seed=0)
        found = collector.collect(tracks, ["whole", "treated middle"], passages=True, report=report)
    assert len(found.items["mfcc", "treated middle"]) == 6


def test_a_second_run_says_the_same(measured, music):
    _, document = run(music, measured[2], "--baselines", "--model", str(DEFAULT))
    assert document["systems"] == measured[1]["systems"]


def test_what_people_said_is_a_row_beside_the_proxies(measured, music, tmp_path):
    tracks = [track for track in find_tracks([music]) if "broken" not in track.name]
    first, second, other = tracks[0], tracks[1], tracks[-1]
    table = tmp_path / "feedback.csv"
    rows = [(first.sha256, second.sha256, "good"), (first.sha256, other.sha256, "not_similar")]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("query_sha256", "track_sha256", "verdict"), *rows])
    common = ["--model", str(DEFAULT), "--proxies", "3", "--feedback", str(table)]
    _, document = run(music, measured[2], *common)
    assert document["feedback"] == {"verdicts": 2, "pairs": 1, "queries": 1}
    assert document["systems"][DEFAULT.name]["feedback"]["agreement"]["value"] == 1.0


def test_one_folder_alone_has_nothing_to_compare(music, tmp_path, capsys):
    assert run(music / STYLES[0], tmp_path, "--baselines")[0] == 2
    assert "two folders" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_said_in_a_sentence(music, tmp_path, capsys):
    status, _ = run(music, tmp_path, "--model", str(tmp_path / "nothing"))
    assert status == 1
    assert "artefact-missing" in capsys.readouterr().err


def test_nothing_to_measure_and_unknown_proxies_are_refused(music, tmp_path):
    for arguments in ([], ["--baselines", "--proxies", "4"]):
        with pytest.raises(SystemExit) as refusal:
            run(music, tmp_path, *arguments)
        assert refusal.value.code == 2
