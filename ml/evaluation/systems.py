"""What is measured: a system turns sounds into items and likens items to each other.

An `Extractor` is the costly half, sound to item, and is cached; a `System` is the cheap half,
items to distances. Systems may share an extractor: ours and its ablations do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol

from ml.audio import Waveform
from ml.evaluation.metrics import Floats

Item = Any


class Extractor(Protocol):
    """Describes a sound.

    Attributes:
        name: by which systems ask for it.
        fingerprint: changes whenever the description of the same sound might.
    """

    name: str
    fingerprint: str

    def extract(self, waveform: Waveform) -> bytes:
        """The description, ready to be kept.

        Raises:
            SoundError: the sound cannot be described.
        """

    def restore(self, kept: bytes) -> Item:
        """The item that `extract` described."""


class System:
    """Likens items.

    Attributes:
        name: of the row in every table.
        extractor: name of the extractor whose items it likens.
        locates: whether it says where a query lies in a track.
        proxies: in which it is measured.
        treated: whether proxy 1 is measured on re-encoded music, too.
        losses: by epoch, where the system was trained and says so.
    """

    name: str
    extractor: str
    locates = False
    proxies: Set[int] = frozenset({1, 2, 3})
    treated = True
    losses: Mapping[str, Sequence[float]] = {}

    def prepare(self, catalogue: Sequence[Item]) -> None:
        """Learn from the whole catalogue, without labels, what the system learns there."""

    def distances(
        self, queries: Sequence[Item], catalogue: Sequence[Item], *, left_out: bool = False
    ) -> Floats:
        """Distances (Q, N), small for alike.

        Args:
            left_out: query i is catalogue track i and may not answer itself; the diagonal is
                then without meaning.
        """
        raise NotImplementedError

    def spans(self, queries: Sequence[Item], tracks: Sequence[Item]) -> list[Sequence[Any]]:
        """Where each query lies in its track (`ml.likeness.Span`), best first; empty: unknown."""
        return [()] * len(queries)


@dataclass(frozen=True)
class Guests:
    """Systems from outside of this library, measured as its own are.

    Attributes:
        extractors: of the guests; they travel to other processes, so they can be pickled.
        systems: their rows, which come after all others.
    """

    extractors: Sequence[Extractor] = ()
    systems: Sequence[System] = ()
