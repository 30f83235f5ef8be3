"""Residual vector quantisation with moving-average codebooks, as a Keras layer.

Sources: VQ-VAE and its EMA update (arXiv:1711.00937, appendix A.1), the residual stack
(arXiv:2107.03312, section III-C), restart of codes that fell out of use (arXiv:2005.00341, 3.1).
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

_EPSILON = 1e-5


class ResidualQuantizer(keras.layers.Layer):
    """Replace each latent vector by a sum of one code vector from every codebook.

    Args:
        codebooks: depth of the stack (Q); each quantises what the ones before left over.
        size: codes in a codebook (K).
        decay: of the moving averages that are the codebooks.
    """

    def __init__(self, codebooks: int, size: int, decay: float = 0.97, **options: object) -> None:
        super().__init__(**options)
        self.depth, self.size, self.decay = codebooks, size, decay

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the codebooks (Q, K, d) and their averages; gradients never touch them."""
        width = input_shape[-1]
        shape = (self.depth, self.size, width)
        start = keras.initializers.RandomNormal(stddev=0.5, seed=self.depth)
        self.codebooks = self.add_weight(
            name="codebooks", shape=shape, initializer=start, trainable=False
        )
        self.sums = self.add_weight(name="sums", shape=shape, trainable=False, initializer="zeros")
        self.counts = self.add_weight(
            name="counts", shape=shape[:2], trainable=False, initializer="zeros"
        )

    def call(self, latents: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Quantise.

        Args:
            latents: (..., d).

        Returns:
            The quantised latents (..., d), gradients passed straight through, and the codes
            (..., Q) as int32.
        """
        flat = tf.reshape(latents, (-1, latents.shape[-1]))
        residual, total, codes = flat, tf.zeros_like(flat), []
        for stage in range(self.depth):
            found = self._nearest(residual, stage)
            if training:
                self._follow(stage, tf.stop_gradient(residual), found)
            chosen = tf.gather(self.codebooks[stage], found)
            residual, total = residual - tf.stop_gradient(chosen), total + chosen
            codes.append(found)
        straight = flat + tf.stop_gradient(total - flat)
        shape = tf.shape(latents)
        stacked = tf.reshape(tf.stack(codes, -1), tf.concat([shape[:-1], [self.depth]], 0))
        return tf.reshape(straight, shape), stacked

    def _nearest(self, vectors: tf.Tensor, stage: int) -> tf.Tensor:
        """Index (N,) of the nearest code for each of the vectors (N, d)."""
        book = self.codebooks[stage]
        scores = tf.matmul(vectors, book, transpose_b=True) - 0.5 * tf.reduce_sum(book**2, -1)
        return tf.argmax(scores, axis=-1, output_type=tf.int32)

    def _follow(self, stage: int, vectors: tf.Tensor, found: tf.Tensor) -> None:
        """Move the codes of a stage towards the vectors that chose them."""
        chosen = tf.one_hot(found, self.size)
        counts = self._averaged(self.counts[stage], tf.reduce_sum(chosen, 0))
        sums = self._averaged(self.sums[stage], tf.matmul(chosen, vectors, transpose_a=True))
        mean = sums / (counts + _EPSILON)[:, None]
        used = counts > _EPSILON
        book = tf.where(used[:, None], mean, self.codebooks[stage])
        place = [[stage]]
        self.counts.assign(tf.tensor_scatter_nd_update(self.counts, place, counts[None]))
        self.sums.assign(tf.tensor_scatter_nd_update(self.sums, place, sums[None]))
        self.codebooks.assign(tf.tensor_scatter_nd_update(self.codebooks, place, book[None]))

    def _averaged(self, old: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
        return self.decay * old + (1.0 - self.decay) * new

    def revive(self, latents: np.ndarray, generator: np.random.Generator) -> int:
        """Put codes that hardly anything chooses onto residuals of real latents.

        Args:
            latents: (N, d), a batch as the encoder gives it.

        Returns:
            How many codes were moved, over all stages.
        """
        books, counts = np.array(self.codebooks), np.array(self.counts)
        sums, residual, moved = np.array(self.sums), latents, 0
        for stage in range(self.depth):
            dead = np.flatnonzero(counts[stage] < 0.05 * counts[stage].mean())
            places = generator.integers(0, len(residual), len(dead))
            books[stage, dead] = residual[places]
            counts[stage, dead] = counts[stage].mean()
            sums[stage, dead] = books[stage, dead] * counts[stage, dead, None]
            residual = residual - books[stage][nearest(residual, books[stage])]
            moved += len(dead)
        self._set(books, sums, counts)
        return moved

    def start(self, latents: np.ndarray, generator: np.random.Generator, rounds: int = 8) -> None:
        """Begin with k-means codebooks of real latents (N, d), stage by stage."""
        books, residual = [], latents
        counts = np.ones((self.depth, self.size), np.float32)
        for _ in range(self.depth):
            book = kmeans(residual, self.size, generator, rounds)
            residual = residual - book[nearest(residual, book)]
            books.append(book)
        self._set(np.stack(books), np.stack(books), counts)

    def _set(self, books: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> None:
        self.codebooks.assign(books)
        self.sums.assign(sums)
        self.counts.assign(counts)


def nearest(vectors: np.ndarray, book: np.ndarray) -> np.ndarray:
    """Index (N,) of the nearest row of `book` (K, d) for each of `vectors` (N, d)."""
    scores = vectors @ book.T - 0.5 * np.square(book).sum(1)
    found: np.ndarray = scores.argmax(1)
    return found


def kmeans(
    vectors: np.ndarray, size: int, generator: np.random.Generator, rounds: int
) -> np.ndarray:
    """Lloyd's k-means: `size` centres (K, d) of vectors (N, d); an empty centre starts anew."""
    centres = vectors[generator.choice(len(vectors), size, replace=len(vectors) < size)].copy()
    for _ in range(rounds):
        found = nearest(vectors, centres)
        counts = np.bincount(found, minlength=size)
        sums = np.zeros_like(centres)
        np.add.at(sums, found, vectors)
        filled = counts > 0
        centres[filled] = sums[filled] / counts[filled, None]
        centres[~filled] = vectors[generator.integers(0, len(vectors), int((~filled).sum()))]
    return centres
