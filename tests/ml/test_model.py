"""The model at work and in training; the bundled one and a small one trained by the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.audio import Waveform
from ml.errors import ArtefactError
from ml.features import extract
from ml.model import Model
from ml.pretrained import DEFAULT
from ml.synth import compose, render

RATE = 22_050


@pytest.fixture(scope="module")
def model() -> Model:
    """The bundled version."""
    return Model.load(DEFAULT)


def sound(seed: int, seconds: float = 30.0) -> Waveform:
    """A composed piece."""
    return Waveform(render(compose(seed), seconds).astype(np.float32), RATE)


def test_features_match_librosa_frame_by_frame() -> None:
    import librosa

    samples = sound(3, 30.0).samples
    found = extract(Waveform(samples, RATE))
    mel = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=2048, hop_length=512, n_mels=128, fmin=30.0, fmax=11_025.0,
        pad_mode="constant",
    )  # fmt: skip
    expected = 10 * np.log10(np.maximum(mel.T, 1e-10))
    assert found.log_mel.shape == expected.shape
    loud = expected > -60
    assert np.abs(found.log_mel - expected)[loud].max() < 0.05
    assert found.mfcc.shape == (len(expected), 30)


def test_the_same_sound_gives_the_same_codes(model: Model) -> None:
    one, again = (model.encode(model.features(sound(5))) for _ in range(2))
    assert np.array_equal(one.codes, again.codes)
    assert np.array_equal(one.embedding, again.embedding)
    assert np.linalg.norm(one.embedding) == pytest.approx(1.0, abs=1e-5)


def test_loudness_changes_no_answer(model: Model) -> None:
    loud = sound(6)
    quiet = Waveform(loud.samples * 0.25, RATE)
    one, other = (model.encode(model.features(each)) for each in (loud, quiet))
    assert np.mean(one.codes[:, 0] == other.codes[:, 0]) > 0.95


def test_an_excerpt_finds_its_own_piece_and_place(model: Model) -> None:
    pieces = {seed: sound(seed, 40.0) for seed in range(6)}
    heard = {
        seed: model.piece(model.encode(model.features(piece))) for seed, piece in pieces.items()
    }
    cut = Waveform(pieces[4].samples[10 * RATE : 25 * RATE], RATE)
    best = model.rank(model.encode(model.features(cut)), heard)[0]
    assert best.key == 4
    assert best.same_recording
    assert best.spans


def test_a_changed_artefact_is_never_loaded(tmp_path: Path) -> None:
    for path in DEFAULT.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "encoder.tflite").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtefactError, match="artefact-digest"):
        Model.load(tmp_path)
