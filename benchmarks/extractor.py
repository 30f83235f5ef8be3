"""A peer as an extractor of `ml.evaluation`: the waveform goes to it as a temporary WAV file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

import numpy as np
import soundfile

from benchmarks.child import Child
from ml.audio import Waveform
from ml.errors import SoundError
from ml.evaluation.metrics import Floats
from ml.evaluation.mfcc import middle


class PeerExtractor:
    """Describes a sound by one embedding (d,), made in the peer's own interpreter.

    Args:
        name: of the peer.
        command: that starts it.
        fingerprint: changes whenever the embedding of the same sound might.
        seconds: of the middle of a sound that it hears; None for the whole sound.
    """

    def __init__(
        self, name: str, command: Sequence[str], fingerprint: str, seconds: float | None = None
    ) -> None:
        self.name, self.fingerprint, self.seconds = name, fingerprint, seconds
        self.child = Child(command)

    def extract(self, waveform: Waveform) -> bytes:
        """The embedding as float64.

        Raises:
            SoundError: `peer-refused` or `peer-ended`, with the name of the peer.
        """
        heard = middle(waveform, self.seconds) if self.seconds else waveform
        with tempfile.NamedTemporaryFile(prefix="soundsite-", suffix=".wav") as file:
            soundfile.write(file.name, heard.samples, heard.sample_rate, subtype="FLOAT")
            try:
                embedding = np.array(self.child.describe(file.name))
            except SoundError as error:
                raise SoundError(error.code, f"{self.name}: {error.detail}") from error
        if not np.isfinite(embedding).all():
            raise SoundError("peer-refused", f"{self.name}: the embedding is not finite")
        return embedding.tobytes()

    def restore(self, kept: bytes) -> Floats:
        return np.frombuffer(kept)
