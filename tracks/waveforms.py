"""Waveforms as the paths of small inline pictures. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PEAKS = (2, 800)  # as `ml.peaks` lays them out: the largest sample of each column, and its RMS
WIDE, SMALL = 160, 50  # bars of a large picture and of a small one; they divide the columns
MIDDLE = 32  # half the height of a picture, whose unit is as wide as a bar


@dataclass(frozen=True)
class Waveform:
    """The bars of a piece, as the `d` of a path; "" where the piece has no peaks.

    Attributes:
        loudest: the largest sample at each bar.
        usual: the RMS at each bar; "" in a small picture.
        count: of the bars.
    """

    loudest: str = ""
    usual: str = ""
    count: int = WIDE


def waveform(peaks: bytes | memoryview | None, *, small: bool = False) -> Waveform:
    """A picture of the peaks of one piece, which older rows do not have."""
    if peaks is None or len(peaks) != PEAKS[0] * PEAKS[1]:
        return Waveform()
    count = SMALL if small else WIDE
    loudest, rms = np.frombuffer(peaks, np.uint8).reshape(PEAKS[0], count, -1).astype(float)
    usual = np.sqrt((rms**2).mean(axis=1))
    return Waveform(_bars(loudest.max(axis=1)), "" if small else _bars(usual), count)


def _bars(heights: np.ndarray) -> str:
    """Upright bars about the middle line, of heights 0 to 255, each a unit high at least."""
    halves = np.maximum(1, np.rint(heights * (MIDDLE - 1) / 255)).astype(int)
    # Each bar ends below, and the next one begins above it: by relative moves, which are short.
    rises = halves + np.roll(halves, 1)
    first = f"M.5 {MIDDLE - halves[0]}v{2 * halves[0]}"
    rest = zip(rises[1:], 2 * halves[1:], strict=True)
    return first + "".join(f"m1-{rise}v{whole}" for rise, whole in rest)
