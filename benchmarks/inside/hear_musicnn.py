"""musicnn hears a song: its layer "mean_pool", averaged over windows of 3 s.

The graph, its weights (MSD_musicnn) and every setting are those of the package. Only the
spectrogram is computed here, for musicnn's own keeps it in 16 bits, where loud music becomes
infinite (10,000 times a power above 6.5), and the graph stays loaded between two songs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.inside.answering import Describe, answer

MODEL = "MSD_musicnn"
WINDOW_SECONDS = 3  # what the model was trained on
MEAN_POOL = 6  # place of the layer among what `define_model` returns


def load() -> Describe:
    """The graph with its weights, as a function from the path of a file to (753,)."""
    os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import numpy as np
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    from musicnn import configuration, models

    windows = tf.compat.v1.placeholder(tf.float32, (1, _frames(), configuration.N_MELS))
    with tf.name_scope("model"):
        labels = len(configuration.MSD_LABELS)
        layer = models.define_model(windows, tf.constant(False), MODEL, labels)[MEAN_POOL]
    session = tf.compat.v1.Session(config=_one_thread(tf))
    weights = Path(models.__file__).parent / MODEL
    tf.compat.v1.train.Saver().restore(session, f"{weights}/")

    def describe(path: str) -> Any:
        heard = [session.run(layer, {windows: window[None]})[0] for window in _windows(path)]
        return np.mean(heard, axis=0)

    return describe


def _one_thread(tf: Any) -> Any:
    return tf.compat.v1.ConfigProto(inter_op_parallelism_threads=1, intra_op_parallelism_threads=1)


def _frames() -> int:
    """Frames of a window, as `musicnn.extractor` counts them."""
    import librosa
    from musicnn import configuration as c

    frames = librosa.time_to_frames(WINDOW_SECONDS, sr=c.SR, n_fft=c.FFT_SIZE, hop_length=c.FFT_HOP)
    return int(frames) + 1


def _windows(path: str) -> Any:
    """Log-mel windows (n, frames, 96) of a file, side by side; the rest at its end is left out.

    Raises:
        ValueError: shorter than one window.
    """
    import librosa
    import numpy as np
    from musicnn import configuration as c

    samples, _ = librosa.load(path, sr=c.SR)
    power = librosa.feature.melspectrogram(
        y=samples, sr=c.SR, hop_length=c.FFT_HOP, n_fft=c.FFT_SIZE, n_mels=c.N_MELS
    )
    count = power.shape[1] // _frames()
    if not count:
        raise ValueError(f"shorter than {WINDOW_SECONDS} s")
    log = np.log10(10_000 * power.T + 1)
    return log[: count * _frames()].reshape(count, _frames(), c.N_MELS)


if __name__ == "__main__":
    answer(load)
