"""From a trained Keras model to LiteRT, which serves it: same codes, a tenth of the memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import tensorflow as tf

from ml.vqvae import VQVAE

FILE = "encoder.tflite"


def export(model: VQVAE, folder: Path) -> None:
    """Write `encoder.tflite`: scaled frames (1, T, n_mfcc) to codes (1, T / stride, Q), int32."""
    signature = [tf.TensorSpec((1, None, model.settings.features.n_mfcc), tf.float32)]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("codes", lambda frames: model.codes(frames), input_signature=signature)
    with TemporaryDirectory() as saved:
        archive.write_out(saved, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["codes"])
        (folder / FILE).write_bytes(converter.convert())
