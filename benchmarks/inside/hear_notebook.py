"""The notebook's way to hear a song: librosa.load, statistics of its MFCC, Keras' predict."""

from __future__ import annotations

from benchmarks.inside.answering import Describe, answer


def load() -> Describe:
    """The first system's network, untrained: what it says is nothing, what it costs is the same."""
    import librosa
    import numpy as np

    from ml.audio import Waveform
    from ml.original import mfcc, statistics
    from ml.original_network import build_encoder

    encoder = build_encoder()

    def describe(path: str) -> np.ndarray:
        samples, rate = librosa.load(path)
        columns = statistics(mfcc(Waveform(samples, int(rate))))
        found: np.ndarray = encoder.predict(columns[None, :, None], verbose=0).ravel()
        return found

    return describe


if __name__ == "__main__":
    answer(load)
