"""What a model hears in a waveform, and what is kept of it. Worker only: librosa and LiteRT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.audio import Waveform
from ml.encoding import Encoding
from ml.peaks import peaks

if TYPE_CHECKING:
    from ml.model import Model


@dataclass(frozen=True)
class Heard:
    """What a version heard in a file.

    Attributes:
        kept: what is kept of it: its encoding, peaks and strip.
    """

    encoding: Encoding
    kept: dict[str, bytes]


def listen(
    waveform: Waveform, model: Model, *, before_codes: Callable[[], None] = lambda: None
) -> Heard:
    """Features, then codes; an upload and a catalogue track are heard by this one function.

    Args:
        before_codes: called between the two; what it raises ends the hearing.
    """
    features = model.features(waveform)
    before_codes()
    encoding = model.encode(features)
    kept = {
        "encoding": encoding.to_bytes(),
        "peaks": peaks(waveform),
        "strip": model.strip(encoding),
    }
    return Heard(encoding, kept)
