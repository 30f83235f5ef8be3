"""The first system's network in Keras: encoder, quantizer, decoder and their trainer.

As published: a straight-through estimator with a codebook that is trained by the loss, beside
the commitment term (arXiv:1711.00937, equation 3). Cured: the codebook follows the latents by
moving averages (the same paper, appendix A.1). Adam moves a code by its learning rate a step at
most, and the latents of a small catalogue leave it behind: the loss rose to 34 before it fell.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from ml import checkpoint, precision
from ml.checkpoint import Checkpoint
from ml.original import CODES, LATENT, STEPS, WIDTH, Progress, data_digest

COMMITMENT = 0.25
DECAY = 0.9  # of the moving averages, a step
BATCH = 128
TOGETHER = 32  # batches that the input hands over at once
SAMPLE = 4096  # rows that the use of the codebook is counted on


class Quantizer(layers.Layer):
    """Replaces each latent by the nearest of its codes; adds the codebook's loss."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        # add_weight: Keras 3 neither trains nor saves a bare tf.Variable attribute
        self.codebook = self.add_weight(
            name="codebook", shape=(shape[-1], CODES), initializer="random_uniform"
        )

    def call(self, latents: Any, training: bool = False) -> Any:
        """(N, 35, 16) to the same shape, each latent replaced by a code."""
        indices = self.get_code_indices(latents)
        codes = ops.take(ops.transpose(self.codebook), indices, axis=0)
        commitment = ops.mean((ops.stop_gradient(codes) - latents) ** 2)
        self.add_loss(COMMITMENT * commitment)
        self.learn(latents, codes, indices, training)
        return latents + ops.stop_gradient(codes - latents)

    def learn(self, latents: Any, codes: Any, indices: Any, training: bool) -> None:
        """By a loss of its own."""
        self.add_loss(ops.mean((codes - ops.stop_gradient(latents)) ** 2))

    def get_code_indices(self, latents: Any) -> Any:
        """Number of the nearest code of each latent, (N, 35, 16) to (N, 35)."""
        squares = ops.sum(self.codebook**2, axis=0)
        return ops.argmin(squares - 2.0 * ops.matmul(latents, self.codebook), axis=-1)


class MovingQuantizer(Quantizer):
    """Its codes are the moving averages of the latents that they stand for."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        super().build(shape)
        self.codebook.trainable = False
        self.counts = self.add_weight(shape=(CODES,), initializer="ones", trainable=False)
        self.sums = self.add_weight(shape=(shape[-1], CODES), trainable=False)
        self.sums.assign(self.codebook)

    def learn(self, latents: Any, codes: Any, indices: Any, training: bool) -> None:
        if not training:
            return
        flat = ops.stop_gradient(ops.reshape(latents, (-1, LATENT)))
        chosen = ops.one_hot(ops.reshape(indices, (-1,)), CODES)
        self.counts.assign(DECAY * self.counts + (1 - DECAY) * ops.sum(chosen, axis=0))
        self.sums.assign(DECAY * self.sums + (1 - DECAY) * ops.transpose(flat) @ chosen)
        self.codebook.assign(self.sums / ops.maximum(self.counts, 1e-3))


def build_encoder() -> keras.Model:
    """(140, 1) to (35, 16)."""
    return keras.Sequential(
        [
            keras.Input((WIDTH, 1)),
            layers.Conv1D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv1D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Conv1D(LATENT, 1, padding="same", dtype="float32"),
        ],
        name="encoder",
    )


def build_decoder() -> keras.Model:
    """(35, 16) to (140, 1)."""
    return keras.Sequential(
        [
            keras.Input((STEPS, LATENT)),
            layers.Conv1DTranspose(64, 3, strides=2, padding="same", activation="relu"),
            layers.Conv1DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv1DTranspose(1, 3, padding="same", dtype="float32"),
        ],
        name="decoder",
    )


class Trainer(keras.Model):
    """Tracks the total, the reconstruction and the VQ loss by epoch."""

    def __init__(self, variance: float, quantizer: Quantizer) -> None:
        super().__init__()
        self.variance = variance
        self.encoder, self.quantizer, self.decoder = build_encoder(), quantizer, build_decoder()
        self.total = keras.metrics.Mean(name="loss")
        self.reconstruction = keras.metrics.Mean(name="reconstruction_loss")
        self.vq = keras.metrics.Mean(name="vqvae_loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.total, self.reconstruction, self.vq]

    def call(self, statistics: Any, training: bool = False) -> Any:
        return self.decoder(self.quantizer(self.encoder(statistics), training=training))

    @tf.function
    def train_step(self, statistics: Any) -> dict[str, Any]:
        """A step for each batch of statistics (N, 140, 1).

        One takes 10 ms; where each fetched its own rows, a twentieth of the time passed between.
        """
        for start in tf.range(0, tf.shape(statistics)[0], BATCH):
            self.learn(statistics[start : start + BATCH])
        return {metric.name: metric.result() for metric in self.metrics}

    def learn(self, statistics: Any) -> None:
        with tf.GradientTape() as tape:
            reconstructed = self(statistics, training=True)
            reconstruction = ops.mean((statistics - reconstructed) ** 2) / self.variance
            vq = sum(self.losses)
            total = reconstruction + vq
        gradients = tape.gradient(total, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric, value in zip(self.metrics, (total, reconstruction, vq), strict=True):
            metric.update_state(value)


@dataclass(frozen=True)
class Fitted:
    """What is kept of a trained network: encoder, codebook and the losses by epoch."""

    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    codebook: np.ndarray
    history: dict[str, list[float]]


def fit(
    statistics: np.ndarray,
    *,
    cured: bool,
    epochs: int,
    seed: int,
    progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> Fitted:
    """Train on statistics (N, 140), as they come."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    quantizer = (MovingQuantizer if cured else Quantizer)(dtype="float32")
    with precision.of_training():
        trainer = Trainer(float(np.var(statistics)), quantizer)
    trainer.compile(optimizer=keras.optimizers.Adam())
    signal = statistics.astype(np.float32)[:, :, None]
    training = f"{data_digest(statistics)} {epochs} {seed} {cured}"
    before = checkpoint.load(checkpoints, training)
    if before:
        _restore(trainer, before, signal)
        keras.utils.set_random_seed(seed + before.epoch)  # another order than from the start
    told = progress or checkpoints
    epochs_told = _Epochs(signal, progress, checkpoints, training, before)
    after = trainer.fit(
        signal,
        epochs=epochs,
        initial_epoch=before.epoch if before else 0,
        batch_size=BATCH * TOGETHER,
        verbose=0,
        callbacks=[epochs_told] if told else [],
    ).history
    history = epochs_told.history if told else after
    weights = [layer.get_weights() for layer in trainer.encoder.layers]
    return Fitted(
        kernels=tuple(kernel for kernel, _ in weights),
        biases=tuple(bias for _, bias in weights),
        codebook=trainer.quantizer.codebook.numpy(),
        history={name: [float(loss) for loss in losses] for name, losses in history.items()},
    )


def _restore(trainer: Trainer, kept: Checkpoint, signal: np.ndarray) -> None:
    trainer(signal[:1])  # makes the variables
    trainer.set_weights(kept.weights)
    trainer.optimizer.build(trainer.trainable_variables)
    for variable, value in zip(trainer.optimizer.variables, kept.optimizer, strict=True):
        variable.assign(value)


class _Epochs(keras.callbacks.Callback):
    """Tells and keeps each epoch: its losses, and how the codebook is used."""

    def __init__(
        self,
        signal: np.ndarray,
        progress: Progress | None,
        folder: Path | None,
        training: str,
        before: Checkpoint | None,
    ) -> None:
        super().__init__()
        self.sample, self.progress = signal[:SAMPLE], progress
        self.folder, self.training = folder, training
        self.history = dict(before.history) if before else {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        losses = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in losses.items():
            self.history[name] = [*self.history.get(name, []), value]
        model = self.model
        if self.folder:
            optimizer = [np.array(variable) for variable in model.optimizer.variables]
            weights, done = model.get_weights(), epoch + 1
            Checkpoint(self.training, done, self.history, weights, optimizer).save(self.folder)
        if self.progress:
            codes = model.quantizer.get_code_indices(model.encoder(self.sample))
            self.progress(epoch + 1, {**losses, **_used(np.array(codes).ravel())})


def _used(codes: np.ndarray) -> dict[str, float]:
    share = np.bincount(codes, minlength=CODES) / len(codes)
    used = share[share > 0]
    return {
        "usage": len(used) / CODES,
        "perplexity": float(np.exp(-(used * np.log(used)).sum())),
    }
