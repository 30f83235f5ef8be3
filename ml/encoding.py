"""What a model hears in one piece of audio: codes, one embedding and a few facts. NumPy only."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass

import numpy as np

MEMBERS = ("embedding", "codes", "meta")  # of the archive


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
        """The inverse of `to_bytes`; `np.load` would parse three headers, as Python, not one."""
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            embedding, codes, meta = (archive.read(f"{name}.npy") for name in MEMBERS)
        return cls(
            np.frombuffer(_after_header(embedding), np.float32),
            np.lib.format.read_array(io.BytesIO(codes), allow_pickle=False).astype(np.uint16),
            **json.loads(bytes(_after_header(meta))),
        )


def _after_header(member: bytes) -> memoryview:
    """The numbers of an array in the npy format; its header ends where bytes 8 and 9 say."""
    return memoryview(member)[10 + int.from_bytes(member[8:10], "little") :]
