"""Training in small: the losses fall, the codebook is used, LiteRT gives Keras's codes.

In a process of its own: TensorFlow is imported nowhere else in the tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ml.model import Model
from ml.original import OriginalModel
from ml.synth import SAMPLE_RATE, compose, render

SCRIPT = """
import json, sys
from pathlib import Path
import keras, numpy as np
from ml.quantizer import ResidualQuantizer
from ml.settings import ModelSettings
from ml.synth import compose, render
from ml.audio import Waveform
from ml.features import extract, levelled, mfcc
from ml import training

folder = Path(sys.argv[1])
tracks = [extract(Waveform(render(compose(s), 30.0).astype("float32"), 22050)).log_mel
          for s in range(4)]
def again(where):
    training.train(tracks, where, name="small", settings=settings,
                   schedule=training.Schedule(epochs=3, steps=2, seed=3))
    return np.load(where / "space.npz")

settings = ModelSettings(width=16, latent_dim=8, codebooks=2, codebook_size=32)
kept = []
fitted = training.fitted
training.fitted = lambda *a: kept.append(fitted(*a)) or kept[-1]
history = training.train(tracks, folder, name="small", settings=settings,
                         schedule=training.Schedule(epochs=6, steps=8, seed=7))
model = kept[0][0]
space = np.load(folder / "space.npz")
coefficients = mfcc(levelled(tracks[0])[:400], 30)
scaled = (coefficients - space["input_mean"]) / space["input_std"]
codes = np.array(model.codes(scaled[None].astype("float32")))[0]
quantizer = model.quantizer
latents = model.encoder(scaled[None].astype("float32"))
quantised, found = quantizer(latents)
books = np.array(quantizer.codebooks)
looked_up = sum(books[q][np.array(found)[0, :, q]] for q in range(2))
quantizer.counts.assign(np.zeros_like(quantizer.counts))
moved = quantizer.revive(np.array(latents).reshape(-1, 8), np.random.default_rng(0))
one, other = again(folder.parent / "one"), again(folder.parent / "other")
repeated = all(np.array_equal(one[name], other[name]) for name in one.files)
np.savez(folder.parent / "seen.npz", codes=codes, scaled=scaled)
print(json.dumps({"history": history, "lookup": float(np.abs(looked_up - quantised[0]).max()),
                  "trainable": [v.path for v in model.trainable_variables],
                  "moved": moved, "repeated": repeated}))
"""

PRECISIONS = """
import json, sys
from pathlib import Path
import keras, numpy as np, tensorflow as tf
from ml import fitting, original_network, precision, training
from ml.settings import ModelSettings

def computes(model):
    return model.encoder.layers[1].compute_dtype

settings = ModelSettings(width=8, latent_dim=4, codebooks=2, codebook_size=16)
frames = np.zeros((1, 64, 30), np.float32)
plain = computes(fitting.compiled(frames, settings, fitting.Schedule()))
find = tf.config.list_physical_devices
tf.config.list_physical_devices = lambda kind=None: ["a GPU"] if kind == "GPU" else find(kind)
half = computes(fitting.compiled(frames, settings, fitting.Schedule()))
kept, fitted = [], training.fitted
training.fitted = lambda *a: kept.append(fitted(*a)) or kept[-1]
tracks = [np.random.default_rng(n).normal(-30, 9, (600, 128)).astype("float32") for n in range(3)]
history = training.train(tracks, Path(sys.argv[1]), name="half", settings=settings,
                         schedule=training.Schedule(epochs=2, steps=2))
rows = np.random.default_rng(0).normal(size=(40, 140)).astype("float32")
first = original_network.fit(rows, cured=False, epochs=2, seed=0).history
print(json.dumps({"plain": plain, "half": half, "served": computes(kept[0][0]),
                  "after": keras.config.dtype_policy().name,
                  "losses": history["loss"] + first["loss"]}))
"""


def test_half_precision_is_chosen_where_a_gpu_is_and_never_served(tmp_path: Path) -> None:
    told = _told_by(PRECISIONS, tmp_path / "half")
    assert told["plain"] == told["served"] == told["after"] == "float32"
    assert told["half"] == "bfloat16"
    assert np.isfinite(told["losses"]).all()
    assert Model.load(tmp_path / "half").codes_of_scaled(np.zeros((64, 30), np.float32)).any()


def _told_by(script: str, folder: Path) -> dict[str, Any]:
    """The last line that the script printed, as JSON."""
    command = [sys.executable, "-c", script, str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def test_a_small_training_learns_and_serves_the_same_codes(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    told = _told_by(SCRIPT, folder)
    losses = told["history"]["reconstruction"]
    assert losses[-1] < losses[0]
    assert min(told["history"]["usage"]) > 0.3
    assert told["lookup"] < 1e-4  # lookup(codes) == quantised
    assert not any("codebooks" in path for path in told["trainable"])
    assert told["repeated"]  # the same music and seed make the same weights
    model = Model.load(folder)
    seen = np.load(tmp_path / "seen.npz")
    served = model.codes_of_scaled(seen["scaled"].astype(np.float32))
    assert np.mean(served == seen["codes"]) > 0.999


def test_the_first_system_is_trained_from_the_shell_with_its_three_losses(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for seed in range(3):
        soundfile.write(music / f"{seed}.wav", render(compose(seed), 6.0), SAMPLE_RATE)
    (music / "cover.txt").write_text("no music")
    out = tmp_path / "original.npz"
    command = [sys.executable, "-m", "ml.train", str(music), str(out)]
    options = ["--config", "original", "--epochs", "2"]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "cover.txt: not-audio" in ended.stderr
    history = OriginalModel.load(out).history
    assert len(history) == 3
    assert {len(losses) for losses in history.values()} == {2}
    assert "epoch 2" in ended.stderr
