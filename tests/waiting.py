"""A deadline for things that happen in another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = 10.0, every: float = 0.05) -> T:
    """Asks `condition` until it is true and gives back what it said.

    Raises AssertionError, with the last answer, when `seconds` have passed.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds:g} s; the last answer was {answer!r}")
        time.sleep(every)
    return answer
