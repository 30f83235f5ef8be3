"""From a trained Keras model to LiteRT, which serves it: same codes, a tenth of the memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import tensorflow as tf

from ml.artefact import DECODER, ENCODER
from ml.vqvae import VQVAE


def export(model: VQVAE, folder: Path) -> None:
    """Write both halves of a model.

    `encoder.tflite`: scaled frames (1, T, n_mfcc) to codes (1, T / stride, Q), int32.
    `decoder.tflite`: quantised latents (1, T / stride, d) to scaled frames (1, T, n_mfcc).
    """
    settings = model.settings
    halves = {
        ENCODER: (model.codes, settings.features.n_mfcc),
        DECODER: (model.decoder, settings.latent_dim),
    }
    for file, (half, width) in halves.items():
        (folder / file).write_bytes(_converted(model, half, width))


def _converted(model: VQVAE, half: Callable[[tf.Tensor], tf.Tensor], width: int) -> bytes:
    signature = [tf.TensorSpec((1, None, width), tf.float32)]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda frames: half(frames), input_signature=signature)
    with TemporaryDirectory() as saved:
        archive.write_out(saved, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["serve"])
        found: bytes = converter.convert()
    return found
