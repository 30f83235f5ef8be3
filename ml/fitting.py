"""The training loop of the VQ-VAE: excerpts, living codebooks, checkpoints. TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ml import checkpoint, precision
from ml.checkpoint import Checkpoint
from ml.excerpts import pairs
from ml.features import mfcc
from ml.settings import ModelSettings
from ml.vqvae import VQVAE

EXCERPT_FRAMES = 512  # 11.9 s
BATCH = 24
_LEARNING_RATE = 2e-3

Progress = Callable[[int, dict[str, float]], None]
Scaling = tuple[np.ndarray, np.ndarray]  # mean and spread (n_mfcc,) of the coefficients


@dataclass(frozen=True)
class Schedule:
    """How long and from which seed."""

    epochs: int = 30
    steps: int = 10
    seed: int = 1


@dataclass(frozen=True)
class Keeping:
    """Where checkpoints of which training are kept; nowhere without a folder."""

    folder: Path | None
    training: str

    def found(self) -> Checkpoint | None:
        return checkpoint.load(self.folder, self.training)

    def keep(self, model: VQVAE, epoch: int, logs: dict[str, float], generators: Any) -> None:
        """After an epoch: its figures go behind those of the epochs before it."""
        if self.folder is None:
            return
        before = self.found() if epoch > 1 else None
        history = dict(before.history) if before else {}
        for name, value in logs.items():
            history[name] = [*history.get(name, []), float(value)]
        optimizer = [np.array(variable) for variable in model.optimizer.variables]
        weights = model.get_weights()
        kept = Checkpoint(self.training, epoch, history, weights, optimizer, generators)
        kept.save(self.folder)


def fitted(
    tracks: Sequence[np.ndarray],
    scaling: Scaling,
    settings: ModelSettings,
    schedule: Schedule,
    progress: Progress,
    keeping: Keeping,
) -> tuple[VQVAE, dict[str, list[float]]]:
    """The trained model and its figures by epoch."""
    # The excerpts are drawn in another thread: with one generator for both, no two trainings agree.
    drawing, reviving = np.random.default_rng(schedule.seed).spawn(2)
    excerpts = _Drawn(pairs(tracks, EXCERPT_FRAMES, BATCH, settings.features, drawing), drawing)
    batches = (scaled(batch, scaling) for batch in excerpts)
    model = compiled(next(batches)[:, 0, 0], settings, schedule)
    codebooks = _Codebooks(batches, reviving, schedule.epochs, progress)
    first, before = excerpts.count, keeping.found()
    if before:
        _restore(model, before)
        drawing.bit_generator.state = before.generators["drawing"]
        reviving.bit_generator.state = before.generators["reviving"]
        first -= before.epoch * schedule.steps

    def keep(epoch: int, logs: dict[str, float]) -> None:
        # The drawing thread is ahead: what counts is the state after the batches up to this epoch.
        drawn = excerpts.states.get(first + epoch * schedule.steps)
        states = {"drawing": drawn, "reviving": reviving.bit_generator.state}
        keeping.keep(model, epoch, logs, states)

    codebooks.keep = keep
    after = model.fit(
        dataset(batches, settings),
        epochs=schedule.epochs,
        initial_epoch=before.epoch if before else 0,
        steps_per_epoch=schedule.steps,
        verbose=0,
        callbacks=[codebooks],
    )
    return _in_full(model), _joined(before.history if before else {}, after.history)


def compiled(example: np.ndarray, settings: ModelSettings, schedule: Schedule) -> VQVAE:
    """A model that is to be trained on frames (B, T, n_mfcc) like the example."""
    with precision.of_training():
        model = VQVAE(settings)
    model(example)  # makes the variables
    steps = schedule.epochs * schedule.steps
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps, alpha=0.02)
    model.compile(optimizer=keras.optimizers.Adam(rate))
    return model


def _in_full(model: VQVAE) -> VQVAE:
    """The model in the precision in which it is served."""
    full = VQVAE(model.settings)
    full(np.zeros((1, EXCERPT_FRAMES, model.settings.features.n_mfcc), np.float32))
    _build_projection(full)
    full.set_weights(model.get_weights())
    return full


def _build_projection(model: VQVAE) -> None:
    """It is called by training alone."""
    model.projection.build((None, 2 * model.settings.latent_dim))


def _joined(
    before: Mapping[str, list[float]], after: Mapping[str, list[float]]
) -> dict[str, list[float]]:
    """Figures by epoch, rounded: those of a checkpoint and those since."""
    return {
        name: [round(value, 5) for value in (*before.get(name, []), *after.get(name, []))]
        for name in (after or before)
    }


def _restore(model: VQVAE, kept: Checkpoint) -> None:
    """Weights and optimizer as they were after the checkpoint's last epoch."""
    _build_projection(model)
    model.set_weights(kept.weights)
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, kept.optimizer, strict=True):
        variable.assign(value)


class _Drawn:
    """Batches, with the state of their generator after each."""

    def __init__(self, batches: Iterator[np.ndarray], generator: np.random.Generator) -> None:
        self.batches, self.generator = batches, generator
        self.count = 0
        self.states: dict[int, Any] = {}

    def __iter__(self) -> Iterator[np.ndarray]:
        return self

    def __next__(self) -> np.ndarray:
        batch = next(self.batches)
        self.count += 1
        self.states[self.count] = self.generator.bit_generator.state
        return batch


def dataset(batches: Iterator[np.ndarray], settings: ModelSettings) -> tf.data.Dataset:
    """The batches as training input, two of them drawn ahead."""
    shape = (BATCH, 2, 2, EXCERPT_FRAMES, settings.features.n_mfcc)
    signature = tf.TensorSpec(shape, tf.float32)
    return tf.data.Dataset.from_generator(lambda: batches, output_signature=signature).prefetch(2)


class _Codebooks(keras.callbacks.Callback):
    """K-means start after the first epoch, restart of dead codes after each, and the figures."""

    def __init__(
        self,
        batches: Iterator[np.ndarray],
        generator: np.random.Generator,
        epochs: int,
        progress: Progress,
    ) -> None:
        super().__init__()
        settle = max(1, epochs // 5)
        self.sample = np.concatenate([next(batches)[:, :, 1] for _ in range(4)])
        self.sample = self.sample.reshape(-1, *self.sample.shape[2:])
        self.generator, self.progress, self.last_revival = generator, progress, epochs - settle
        self.keep: Progress = lambda epoch, figures: None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        latents = np.array(self.model.encoder(self.sample))
        flat = latents.reshape(-1, latents.shape[-1])
        if epoch == 0:
            self.model.quantizer.start(flat[::2], self.generator)
        elif epoch < self.last_revival:
            self.model.quantizer.revive(flat, self.generator)
        _, codes = self.model.quantizer(latents)
        size = self.model.settings.codebook_size
        figures = codebook_figures(np.array(codes).reshape(-1, codes.shape[-1]), size)
        logs = logs if logs is not None else {}
        logs["usage"] = float(np.mean(figures["usage"]))
        logs["perplexity"] = float(np.mean(figures["perplexity"]))
        self.keep(epoch + 1, logs)
        self.progress(epoch + 1, logs)


def codebook_figures(codes: np.ndarray, size: int) -> dict[str, list[float]]:
    """Share of codes in use and perplexity of each codebook, from codes (N, Q)."""
    usage, perplexity = [], []
    for column in codes.T:
        share = np.bincount(column, minlength=size) / len(column)
        used = share[share > 0]
        usage.append(round(len(used) / size, 4))
        perplexity.append(round(float(np.exp(-(used * np.log(used)).sum())), 1))
    return {"usage": usage, "perplexity": perplexity}


def scaled(frames: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Levelled log-mel frames (..., n_mels) as the encoder's input (..., n_mfcc)."""
    coefficients = mfcc(frames.astype(np.float32), len(scaling[0]))
    found: np.ndarray = ((coefficients - scaling[0]) / scaling[1]).astype(np.float32)
    return found
