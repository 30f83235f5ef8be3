"""Sound files made on the spot."""

from __future__ import annotations

import io
import math
import struct
import wave

RATE = 8000
HEADER = 44  # bytes of a WAV file before its samples


def tone(seconds: float, *, hertz: float = 220.0, peak: float = 0.5) -> bytes:
    """A WAV file of a sine."""
    samples = (
        int(32767 * peak * math.sin(2 * math.pi * hertz * place / RATE))
        for place in range(int(seconds * RATE))
    )
    return _wav(b"".join(struct.pack("<h", sample) for sample in samples))


def burst(seconds: float, start: float, end: float) -> bytes:
    """A WAV file that is silent but for a sine between two seconds."""
    sounding = tone(end - start)[HEADER:]
    before, whole = (bytes(2 * int(length * RATE)) for length in (start, seconds))
    return _wav(before + sounding + whole[len(before) + len(sounding) :])


def silence(seconds: float) -> bytes:
    return _wav(bytes(2 * int(seconds * RATE)))


def _wav(frames: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(frames)
    return file.getvalue()
