"""Tracks that a visitor has picked to ask about together, kept in the session."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tracks.models import Track

MOST_SEEDS = 12  # tracks of one question
_KEY = "seeds"
_SIDES = ("like", "unlike")


@dataclass
class Basket:
    """Ids of the tracks that an answer shall be like, and of those that it shall be unlike."""

    like: list[int] = field(default_factory=list)
    unlike: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.like) + len(self.unlike)

    @property
    def full(self) -> bool:
        return self.count >= MOST_SEEDS

    def tracks(self, side: str) -> list[Track]:
        """The tracks of a side that are still there, in the order in which they were picked."""
        pks = getattr(self, side)
        there = Track.objects.shown().in_bulk(pks)
        return [there[pk] for pk in pks if pk in there]


def basket_of(session: MutableMapping[str, Any]) -> Basket:
    return Basket(**{side: list(session.get(_KEY, {}).get(side, ())) for side in _SIDES})


def toggle(session: MutableMapping[str, Any], side: str, pk: int) -> bool:
    """Puts a track on a side, away from the other, or takes it away where it lies there already.

    Returns:
        False when there is no room for one more; nothing was changed then.
    """
    basket = basket_of(session)
    was_there = pk in getattr(basket, side)
    for name in _SIDES:
        setattr(basket, name, [other for other in getattr(basket, name) if other != pk])
    if not was_there:
        if basket.full:
            return False
        getattr(basket, side).append(pk)
    session[_KEY] = {name: getattr(basket, name) for name in _SIDES}
    return True


def empty(session: MutableMapping[str, Any]) -> None:
    session.pop(_KEY, None)
