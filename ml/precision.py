"""Half precision where a GPU trains, whose tensor cores are made for it; a CPU only loses by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

HALF = "mixed_bfloat16"  # the range of float32: no loss has to be scaled


@contextmanager
def of_training() -> Iterator[None]:
    """Layers made within compute in half precision, if there is a GPU; weights stay float32."""
    usual = keras.config.dtype_policy()
    if tf.config.list_physical_devices("GPU"):
        keras.config.set_dtype_policy(HALF)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)
