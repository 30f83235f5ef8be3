"""The VQ-VAE: convolutions over MFCC frames, a residual quantiser, and back. TensorFlow only.

VQ-VAE: arXiv:1711.00937. The contrastive term between excerpts of one track: arXiv:2103.09410.
"""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from ml.quantizer import ResidualQuantizer
from ml.settings import ModelSettings


def encoder(settings: ModelSettings) -> keras.Model:
    """MFCC frames (B, T, n_mfcc), scaled, to latents (B, T / 4, latent_dim)."""
    frames = keras.Input((None, settings.features.n_mfcc))
    x = frames
    for _ in range(2):
        x = layers.Conv1D(settings.width, 5, strides=2, padding="same", activation="gelu")(x)
    x = _residual(x, settings.width)
    heard = layers.Conv1D(settings.latent_dim, 1, kernel_initializer="zeros")(x)
    averaged = layers.AveragePooling1D(settings.stride)(frames)
    straight = layers.Dense(
        settings.latent_dim,
        use_bias=False,
        kernel_initializer=keras.initializers.Orthogonal(seed=1),
    )(averaged)
    return keras.Model(frames, layers.Add(dtype="float32")([straight, heard]), name="encoder")


def decoder(settings: ModelSettings) -> keras.Model:
    """Quantised latents (B, T / 4, latent_dim) to MFCC frames (B, T, n_mfcc), scaled."""
    latents = keras.Input((None, settings.latent_dim))
    x = layers.Conv1D(settings.width, 3, padding="same", activation="gelu")(latents)
    x = _residual(x, settings.width)
    for _ in range(2):
        x = layers.UpSampling1D(2)(x)
        x = layers.Conv1D(settings.width, 5, padding="same", activation="gelu")(x)
    rebuilt = layers.Conv1D(settings.features.n_mfcc, 1, dtype="float32")(x)
    return keras.Model(latents, rebuilt, name="decoder")


def _residual(x: tf.Tensor, width: int) -> tf.Tensor:
    inner = layers.Conv1D(width, 3, padding="same", activation="gelu")(x)
    return layers.Add()([x, layers.Conv1D(width, 1)(inner)])


class VQVAE(keras.Model):
    """Encoder, quantiser and decoder, trained on pairs of excerpts of one track.

    Training input: (B, 2, 2, T, n_mfcc): B tracks, two excerpts each, each as it is and disguised.
    The disguised one is encoded, the plain one is to be reconstructed, so that codes lean towards
    what a disguise leaves alone.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.encoder, self.decoder = encoder(settings), decoder(settings)
        # float32 whatever the policy is: distances to codes, averages and the losses need it.
        self.quantizer = ResidualQuantizer(
            settings.codebooks, settings.codebook_size, dtype="float32"
        )
        self.projection = keras.Sequential(
            [
                layers.Dense(64, activation="gelu", dtype="float32"),
                layers.Dense(64, dtype="float32"),
            ]
        )
        names = ("loss", "reconstruction", "commitment", "contrastive")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Reset by Keras at every epoch."""
        return list(self.trackers.values())

    def call(self, frames: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, ...]:
        """Scaled frames (B, T, n_mfcc) to (reconstruction, latents, quantised, codes)."""
        latents = self.encoder(frames, training=training)
        quantised, codes = self.quantizer(latents, training=training)
        return self.decoder(quantised, training=training), latents, quantised, codes

    def codes(self, frames: tf.Tensor) -> tf.Tensor:
        """Scaled frames (B, T, n_mfcc) to codes (B, T / stride, Q), int32."""
        return self.quantizer(self.encoder(frames))[1]

    def train_step(self, excerpts: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of Adam on the three losses; the codebooks follow by their averages."""
        plain, disguised = (_excerpts_in_a_row(excerpts[:, :, side]) for side in (0, 1))
        with tf.GradientTape() as tape:
            losses = self._terms(plain, disguised)
        gradients = tape.gradient(losses["loss"], self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for name, value in losses.items():
            self.trackers[name].update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    def _terms(self, plain: tf.Tensor, disguised: tf.Tensor) -> dict[str, tf.Tensor]:
        rebuilt, latents, quantised, _ = self(disguised, training=True)
        settled = latents + tf.stop_gradient(quantised - latents)
        losses = {
            "reconstruction": tf.reduce_mean(tf.square(rebuilt - plain)),
            "commitment": tf.reduce_mean(tf.square(latents - tf.stop_gradient(quantised))),
            "contrastive": self._contrastive(settled),
        }
        weights = self.settings.loss_weights
        total = losses["reconstruction"] + weights.commitment * losses["commitment"]
        return {"loss": total + weights.contrastive * losses["contrastive"], **losses}

    def _contrastive(self, quantised: tf.Tensor) -> tf.Tensor:
        """InfoNCE between the pooled latents (2B, d) of the two excerpts of each track."""
        mean, variance = tf.nn.moments(quantised, axes=[1])
        pooled = tf.concat([mean, tf.sqrt(variance + 1e-4)], axis=-1)
        vectors = tf.math.l2_normalize(self.projection(pooled), axis=-1)
        first, second = vectors[0::2], vectors[1::2]
        scores = tf.matmul(first, second, transpose_b=True) / self.settings.temperature
        own = tf.range(tf.shape(scores)[0])
        sides = (scores, tf.transpose(scores))
        cross = keras.losses.sparse_categorical_crossentropy
        return tf.add_n([tf.reduce_mean(cross(own, side, from_logits=True)) for side in sides]) / 2


def _excerpts_in_a_row(excerpts: tf.Tensor) -> tf.Tensor:
    """(B, 2, T, n_mfcc) to (2B, T, n_mfcc): the pair of a track stays together."""
    return tf.reshape(excerpts, tf.concat([[-1], tf.shape(excerpts)[2:]], 0))
