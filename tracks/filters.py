"""What a search is narrowed to: texts and ranges that the found tracks must fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q

TEXTS = ("soundtrack", "artist", "genre", "licence")
RANGES = ("tempo", "seconds")


@dataclass(frozen=True)
class Filters:
    """Only tracks that fit all that is set here are answers.

    Attributes:
        soundtrack, artist, genre, licence: the whole text of the track, in any case.
        tempo_from, tempo_to: bpm, both ends included, as the model version measured it: a plain
            range, in which a track at half or double the tempo does not lie.
        seconds_from, seconds_to: length of the track, both ends included.
    """

    soundtrack: str = ""
    artist: str = ""
    genre: str = ""
    licence: str = ""
    tempo_from: float | None = None
    tempo_to: float | None = None
    seconds_from: float | None = None
    seconds_to: float | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Filters:
        """The inverse of `as_json`; names that it does not know are left alone.

        Raises:
            ValueError, TypeError: a limit is not a number.
        """
        known: dict[str, Any] = {name: str(stored.get(name) or "") for name in TEXTS}
        return cls(**known | {name: _limit(stored.get(name)) for name in LIMITS})

    def as_json(self) -> dict[str, Any]:
        """Only what is set."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}

    @property
    def empty(self) -> bool:
        """Nothing is asked for, so every track fits."""
        return not self.as_json()

    @property
    def possible(self) -> bool:
        """All limits are numbers from 0 on, and no range ends before it begins."""
        limits = [getattr(self, name) for name in LIMITS]
        ranges = [(low, high) for low, high in zip(limits[::2], limits[1::2], strict=True)]
        return all(one is None or (math.isfinite(one) and one >= 0) for one in limits) and all(
            low is None or high is None or low <= high for low, high in ranges
        )

    def of_entries(self) -> Q:
        """The condition on `tracks.models.IndexEntry`; a tempo or a length not known never fits."""
        texts = {
            f"track__{name}__iexact": getattr(self, name) for name in TEXTS if getattr(self, name)
        }
        return (
            Q(**texts)
            & _within("tempo", self.tempo_from, self.tempo_to)
            & _within("track__duration", self.seconds_from, self.seconds_to)
        )


LIMITS = tuple(f"{name}_{end}" for name in RANGES for end in ("from", "to"))
NO_FILTERS = Filters()


def _limit(value: Any) -> float | None:
    return None if value in ("", None) else float(value)


def _within(field: str, low: float | None, high: float | None) -> Q:
    found = Q()
    if low is not None:
        found &= Q(**{f"{field}__gte": low})
    if high is not None:
        found &= Q(**{f"{field}__lte": high})
    return found
