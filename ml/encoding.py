"""What a model hears in one piece of audio: codes, one embedding and a few facts. NumPy only."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Encoding:
    """One piece as a model hears it.

    Attributes:
        embedding: float32 of shape (D,) and unit length; the first stage of the search.
        codes: uint16 of shape (T, Q): one row each `code_seconds`, one column each codebook.
        code_seconds: seconds from one row of codes to the next.
        duration: length of the audio in seconds.
        facts: what the reasons are made of: tempo (bpm), loudness (dB), brightness (Hz) ...
    """

    embedding: np.ndarray
    codes: np.ndarray
    code_seconds: float
    duration: float
    facts: dict[str, float]

    def to_bytes(self) -> bytes:
        """As an npz archive without pickle.

        Codes below 256 take a byte each. That is less than compressed 16 bits take, for they are
        as good as random to a packer, and nothing is unpacked for a search.
        """
        stream = io.BytesIO()
        meta = {
            "code_seconds": self.code_seconds,
            "duration": self.duration,
            "facts": self.facts,
        }
        np.savez(
            stream,
            embedding=self.embedding.astype(np.float32),
            codes=self.codes.astype(np.uint8 if self.codes.max(initial=0) < 256 else np.uint16),
            meta=np.frombuffer(json.dumps(meta).encode(), np.uint8),
        )
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Encoding:
        """The inverse of `to_bytes`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            meta = json.loads(archive["meta"].tobytes())
            return cls(archive["embedding"], archive["codes"].astype(np.uint16), **meta)
