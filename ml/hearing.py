"""What a model hears in a sound, and what is kept of it. Worker only: LiteRT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.audio import Sound
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


def listen(sound: Sound, model: Model, *, before_codes: Callable[[], None] = lambda: None) -> Heard:
    """Features, then codes; an upload and a catalogue track are heard by this one function.

    Args:
        before_codes: called between the two; what it raises ends the hearing.
    """
    features = model.features(sound)
    before_codes()
    encoding = model.encode(features)
    kept = {
        "encoding": encoding.to_bytes(),
        "peaks": peaks(sound),
        "strip": model.strip(encoding),
    }
    return Heard(encoding, kept)
