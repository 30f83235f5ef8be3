"""Guests in the tool's tables, by a fake peer in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

from benchmarks import environments, peers
from benchmarks.extractor import PeerExtractor
from benchmarks.peers import Peer
from benchmarks.systems import Embeddings, euclidean
from ml import evaluate, synth
from ml.audio import Waveform
from ml.errors import SoundError
from ml.evaluation.baselines import MutualProximity, scaled_cosine
from ml.evaluation.systems import Guests

FAKE = [sys.executable, "-B", "-m", "tests.benchmarks.fake_peer"]
NOT_TO_BE_RUN = [sys.executable, "-c", "raise SystemExit('asked again')"]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two styles, two pieces each, and a third that no fake peer can bear."""
    folder = tmp_path_factory.mktemp("music")
    for number, style in enumerate(list(synth.STYLES)[:2]):
        (folder / style).mkdir()
        for turn in range(2):
            samples = synth.render(synth.compose(10 * number + turn, style), 6.0)
            soundfile.write(folder / style / f"{turn}.flac", samples, synth.SAMPLE_RATE)
    loud = 2.0 * synth.render(synth.compose(99, style), 6.0)
    soundfile.write(folder / style / "loud.wav", loud, synth.SAMPLE_RATE, subtype="FLOAT")
    return folder


def measure(music, folder, command):
    """The tool's exit status and its JSON, with nobody in the tables but the guests."""
    report = folder / "report.json"
    arguments = [str(music), "--proxies", "1,3", "--cache", str(folder), "--json", str(report)]
    options = evaluate.argument_parser("peers", None).parse_args(arguments)
    cosine = Embeddings("fake", scaled_cosine)
    ears = PeerExtractor("fake", command, fingerprint="1")
    status = evaluate.run(options, Guests([ears], [cosine, MutualProximity(cosine)]))
    return status, json.loads(report.read_text())


@pytest.fixture(scope="module")
def measured(music, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return *measure(music, folder, FAKE), folder


def test_guests_are_measured_as_any_other_system(measured):
    status, document, _ = measured
    assert status == 0
    assert list(document["systems"]) == ["fake", "fake + MP"]
    for row in document["systems"].values():
        assert {"P@1", "MAP", "hub skew", "orphans", "middle P@1", "treated P@1"} <= set(
            row["proxy 1"]
        )
        assert set(row["proxy 3"]) == {"top-1", "MRR"}


def test_the_report_says_which_guests_there_were(measured):
    assert measured[1]["settings"]["guests"] == {"fake": "1"}


def test_a_track_that_a_guest_cannot_hear_is_left_out_for_all(measured):
    ((name, reason),) = measured[1]["failures"].items()
    assert name.endswith("loud.wav")
    assert reason == "peer-refused: fake: ValueError: too loud"
    assert len(measured[1]["tracks"]) == 4


def test_what_a_guest_heard_is_in_the_cache(measured, music):
    (loud,) = music.glob("*/loud.wav")
    quiet = music.parent / "quiet"
    quiet.mkdir()
    for folder in {path.parent for path in music.glob("*/*.flac")}:
        (quiet / folder.name).symlink_to(folder)
    content = loud.read_bytes()
    loud.unlink()
    try:
        _, document = measure(quiet, measured[2], NOT_TO_BE_RUN)
    finally:
        loud.write_bytes(content)
    assert document["systems"] == measured[1]["systems"]


def test_a_peer_hears_the_middle_of_a_sound_where_that_is_asked_for():
    samples = np.zeros(30_000, np.float32)
    samples[10_000:20_000] = 1.0
    whole, middle = PeerExtractor("whole", FAKE, ""), PeerExtractor("middle", FAKE, "", 1.0)
    sound = Waveform(samples, 10_000)
    assert whole.restore(whole.extract(sound))[0] == pytest.approx(np.sqrt(1 / 3))
    assert middle.restore(middle.extract(sound))[0] == pytest.approx(1.0)


def test_an_embedding_that_is_not_finite_is_refused():
    broken = "from benchmarks.inside.answering import answer\nanswer(lambda: lambda path: ['nan'])"
    ears = PeerExtractor("broken", [sys.executable, "-B", "-c", broken], "")
    with pytest.raises(SoundError, match="broken: the embedding is not finite"):
        ears.extract(Waveform(np.ones(100, np.float32)))


def test_a_peer_that_does_not_run_here_is_left_out_with_its_reason(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(environments, "python_of", lambda *_: Path(sys.executable))
    there = Peer("there", "requirements-musicnn.txt", "tests.benchmarks.fake_peer")
    mute = Peer("mute", "requirements-musicnn.txt", "benchmarks.environments")
    guests = peers.invite([mute, there], tmp_path, Console(stderr=True, width=200))
    assert [row.name for row in guests.systems] == ["there"]
    assert "left out: mute (peer-ended: mute: exit status 0)" in capsys.readouterr().err


def test_euclidean_distances_are_those_of_the_embeddings_as_they_are():
    items = [np.array([0.0, 0.0]), np.array([3.0, 4.0])]
    assert Embeddings("any", euclidean).distances(items, items).tolist() == [[0.0, 5.0], [5.0, 0.0]]


def test_a_number_of_wide_range_does_not_rule_the_scaled_cosine():
    items = [np.array([0.0, 1000.0]), np.array([1.0, 3000.0]), np.array([0.0, 3000.0])]
    found = Embeddings("any", scaled_cosine).distances(items, items)
    assert found[0, 0] == pytest.approx(0.0, abs=1e-9)
    assert found[0, 2] < found[0, 1]
