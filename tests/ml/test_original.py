from __future__ import annotations

import numpy as np
import pytest

from ml import original
from ml.audio import Waveform
from ml.errors import ArtefactError


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(40, 140)) * np.linspace(1, 200, 140)).astype(np.float32)


@pytest.fixture(scope="module")
def trained(table):
    return original.train(table, scaled=True, epochs=3, seed=1)


def test_the_statistics_stand_in_the_order_of_the_fma_table():
    mfcc = np.tile([0.0, 0.0, 0.0, 4.0], (20, 1)) + np.arange(20)[:, None]
    found = original.statistics(mfcc).reshape(7, 20)
    three = dict(zip(original.STATISTICS, found[:, 3].tolist(), strict=True))
    root = np.sqrt(3.0)
    assert three == pytest.approx(
        {
            "kurtosis": 7 / 3 - 3,
            "max": 7.0,
            "mean": 4.0,
            "median": 3.0,
            "min": 3.0,
            "skew": 2 / root,
            "std": root,
        }
    )


def test_a_coefficient_that_never_changes_has_no_skew_and_no_kurtosis():
    found = original.statistics(np.ones((20, 50)))
    assert np.isfinite(found).all()
    assert found[:20].tolist() == [0.0] * 20


def test_a_sound_has_140_statistics():
    tone = np.sin(np.arange(22050, dtype=np.float32) * 0.1)
    found = original.statistics(original.mfcc(Waveform(tone, 22050)))
    assert found.shape == (140,)
    assert np.isfinite(found).all()


def test_a_track_has_35_of_128_codes(trained, table):
    codes = trained.codes(table)
    assert codes.shape == (40, 35)
    assert codes.min() >= 0
    assert codes.max() < 128


def test_training_tracks_the_three_losses_by_epoch(trained):
    assert set(trained.history) == {"loss", "reconstruction_loss", "vqvae_loss"}
    assert all(len(losses) == 3 for losses in trained.history.values())
    total = np.array(trained.history["loss"])
    parts = np.array(trained.history["reconstruction_loss"]) + trained.history["vqvae_loss"]
    assert total == pytest.approx(parts)


def test_scaled_inputs_do_not_diverge(table):
    history = original.train(table, scaled=True, epochs=120).history
    assert history["loss"][-1] < history["loss"][0]
    assert max(history["vqvae_loss"]) < history["reconstruction_loss"][0]


def test_the_same_seed_trains_the_same_codebook(trained, table):
    again = original.train(table, scaled=True, epochs=3, seed=1)
    assert np.array_equal(again.codebook, trained.codebook)


def test_the_codebook_is_trained(table):
    first = original.train(table, scaled=True, epochs=1, seed=1)
    later = original.train(table, scaled=True, epochs=4, seed=1)
    assert not np.array_equal(first.codebook, later.codebook)


def test_numpy_gives_the_codes_that_keras_gives(table):
    from ml.original_network import Quantizer, build_encoder

    encoder, quantizer = build_encoder(), Quantizer()
    signal = table[:, :, None] / 100
    latents = encoder(signal)
    expected = np.asarray(quantizer(latents)), np.asarray(quantizer.get_code_indices(latents))
    weights = [layer.get_weights() for layer in encoder.layers]
    model = original.OriginalModel(
        kernels=tuple(kernel for kernel, _ in weights),
        biases=tuple(bias for _, bias in weights),
        codebook=quantizer.get_weights()[0],
        centre=np.zeros(140),
        scale=np.full(140, 100.0),
        scaled=True,
        history={},
    )
    codes = model.codes(table)
    assert (codes == expected[1]).mean() > 0.999  # float32 there, float64 here
    assert model.codebook.T[expected[1]] == pytest.approx(expected[0], abs=1e-5)


def test_the_first_system_likens_the_sums_of_the_code_numbers(trained):
    as_it_was = original.OriginalModel(**{**vars(trained), "scaled": False})
    one, other = np.full((1, 35), 2), np.full((1, 35), 5)
    assert as_it_was.distances(one, other).tolist() == [[105.0]]


def test_the_cured_system_likens_histograms(trained):
    one, other = np.full((1, 35), 2), np.full((1, 35), 5)
    assert trained.distances(one, np.concatenate([one, other])) == pytest.approx(
        np.array([[0.0, 1.0]])
    )


def test_a_saved_model_loads_and_gives_the_same_codes(trained, table, tmp_path):
    trained.save(tmp_path / "model.npz")
    loaded = original.OriginalModel.load(tmp_path / "model.npz")
    assert np.array_equal(loaded.codes(table), trained.codes(table))
    assert loaded.history == trained.history
    assert loaded.scaled


def test_a_file_that_is_no_model_is_refused_with_its_code(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ArtefactError) as refusal:
        original.OriginalModel.load(path)
    assert refusal.value.code == "artefact-format"
