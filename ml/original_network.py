"""The first system's network in Keras: encoder, quantizer, decoder and their trainer.

As published: a straight-through estimator with a codebook that is trained by the loss, beside
the commitment term (arXiv:1711.00937, equation 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from ml.original import CODES, LATENT, STEPS, WIDTH

COMMITMENT = 0.25
BATCH = 128


class Quantizer(layers.Layer):
    """Replaces each latent by the nearest of its codes; adds the codebook's loss."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        # add_weight: Keras 3 neither trains nor saves a bare tf.Variable attribute
        self.codebook = self.add_weight(
            name="codebook", shape=(shape[-1], CODES), initializer="random_uniform"
        )

    def call(self, latents: Any) -> Any:
        """(N, 35, 16) to the same shape, each latent replaced by a code."""
        codes = ops.take(ops.transpose(self.codebook), self.get_code_indices(latents), axis=0)
        commitment = ops.mean((ops.stop_gradient(codes) - latents) ** 2)
        codebook = ops.mean((codes - ops.stop_gradient(latents)) ** 2)
        self.add_loss(COMMITMENT * commitment + codebook)
        return latents + ops.stop_gradient(codes - latents)

    def get_code_indices(self, latents: Any) -> Any:
        """Number of the nearest code of each latent, (N, 35, 16) to (N, 35)."""
        squares = ops.sum(self.codebook**2, axis=0)
        return ops.argmin(squares - 2.0 * ops.matmul(latents, self.codebook), axis=-1)


def build_encoder() -> keras.Model:
    """(140, 1) to (35, 16)."""
    return keras.Sequential(
        [
            keras.Input((WIDTH, 1)),
            layers.Conv1D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv1D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Conv1D(LATENT, 1, padding="same"),
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
            layers.Conv1DTranspose(1, 3, padding="same"),
        ],
        name="decoder",
    )


class Trainer(keras.Model):
    """Tracks the total, the reconstruction and the VQ loss by epoch."""

    def __init__(self, variance: float) -> None:
        super().__init__()
        self.variance = variance
        self.encoder, self.quantizer, self.decoder = build_encoder(), Quantizer(), build_decoder()
        self.total = keras.metrics.Mean(name="loss")
        self.reconstruction = keras.metrics.Mean(name="reconstruction_loss")
        self.vq = keras.metrics.Mean(name="vqvae_loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.total, self.reconstruction, self.vq]

    def call(self, statistics: Any) -> Any:
        return self.decoder(self.quantizer(self.encoder(statistics)))

    def train_step(self, statistics: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            reconstructed = self(statistics, training=True)
            reconstruction = ops.mean((statistics - reconstructed) ** 2) / self.variance
            vq = sum(self.losses)
            total = reconstruction + vq
        gradients = tape.gradient(total, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric, value in zip(self.metrics, (total, reconstruction, vq), strict=True):
            metric.update_state(value)
        return {metric.name: metric.result() for metric in self.metrics}


@dataclass(frozen=True)
class Fitted:
    """What is kept of a trained network: encoder, codebook and the losses by epoch."""

    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    codebook: np.ndarray
    history: dict[str, list[float]]


def fit(statistics: np.ndarray, *, epochs: int, seed: int) -> Fitted:
    """Train on statistics (N, 140), as they come."""
    keras.utils.set_random_seed(seed)
    trainer = Trainer(variance=float(np.var(statistics)))
    trainer.compile(optimizer=keras.optimizers.Adam())
    signal = statistics.astype(np.float32)[:, :, None]
    history = trainer.fit(signal, epochs=epochs, batch_size=BATCH, verbose=0).history
    weights = [layer.get_weights() for layer in trainer.encoder.layers]
    return Fitted(
        kernels=tuple(kernel for kernel, _ in weights),
        biases=tuple(bias for _, bias in weights),
        codebook=trainer.quantizer.get_weights()[0],
        history={name: [float(loss) for loss in losses] for name, losses in history.items()},
    )
