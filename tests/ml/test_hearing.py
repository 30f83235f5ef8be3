"""Hearing block by block: the same as from the whole, and without what would fill a worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.signal
import soundfile

from ml import facts, features, isolated, model
from ml.audio import decode
from ml.features import FeatureSettings, extract
from ml.filters import by_librosa, filters
from ml.hearing import listen
from ml.model import Model
from ml.pretrained import DEFAULT
from ml.synth import SAMPLE_RATE, compose, render

HEAVY = ("librosa", "numba", "scipy.signal", "sklearn", "tensorflow")
LISTEN = f"""
import sys
from pathlib import Path
from ml import isolated
from ml.hearing import listen
from ml.model import Model
from ml.pretrained import DEFAULT

heard = Model.load(DEFAULT)
heard.warm_up()
listen(isolated.decode(Path(sys.argv[1]), max_seconds=60), heard)
print([name for name in {HEAVY} if name in sys.modules])
"""


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 seconds in stereo, its channels unlike each other."""
    path = tmp_path_factory.mktemp("heard") / "piece.flac"
    left, right = (render(compose(seed), 40.0) for seed in (1, 2))
    soundfile.write(path, np.column_stack([left, right]), SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def bundled() -> Model:
    return Model.load(DEFAULT)


def test_samples_that_are_read_in_blocks_are_heard_as_an_array_is(
    piece: Path, bundled: Model
) -> None:
    whole, stored = decode(piece), isolated.decode(piece, max_seconds=60)
    assert listen(stored, bundled).kept == listen(whole, bundled).kept


def test_a_piece_that_is_longer_than_a_part_keeps_its_codes_and_facts(
    piece: Path, bundled: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = decode(piece)
    whole = bundled.encode(bundled.features(sound))
    monkeypatch.setattr(model, "_PART", 256)
    for module in (model, features):
        monkeypatch.setattr(module, "ROWS", 100)
    parts = bundled.encode(bundled.features(sound))
    assert np.array_equal(parts.codes, whole.codes)
    assert parts.facts == whole.facts


@pytest.mark.parametrize("fmax", [11_025.0, 8_000.0])
def test_the_filters_are_those_of_librosa(fmax: float) -> None:
    settings = FeatureSettings(fmax=fmax).as_dict()
    for ours, theirs in zip(filters(settings), by_librosa(settings), strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)


def test_tempo_is_chosen_as_librosa_chooses_it(piece: Path) -> None:
    onsets = extract(decode(piece)).onset_strength
    lags = librosa.autocorrelate(onsets - onsets.mean(), max_size=384)
    assert facts._autocorrelated(onsets - onsets.mean()) == pytest.approx(lags, rel=1e-5, abs=1e-3)
    settings = FeatureSettings()
    rate = {"sr": settings.sample_rate, "hop_length": settings.hop_length}
    (theirs,) = librosa.feature.tempo(tg=np.maximum(lags, 0)[:, None], **rate)
    assert facts._tempo(onsets, settings)[0] == pytest.approx(theirs, rel=0.03)  # then refined


def test_peaks_are_those_of_scipy() -> None:
    random = np.random.default_rng(0)
    for apart in (1, 3, 10):
        values = random.normal(size=5000)
        found, _ = scipy.signal.find_peaks(values, height=0.5, distance=apart)
        assert np.array_equal(facts._peaks(values, 0.5, apart), found)


def test_a_worker_hears_without_what_training_and_evaluation_need(piece: Path) -> None:
    command = [sys.executable, "-c", LISTEN, str(piece)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
