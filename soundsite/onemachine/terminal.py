"""What the person at the terminal sees while something takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from soundsite.embedded.errors import StartError

console = Console(stderr=True, highlight=False)


def say(sentence: str) -> None:
    console.print(f"==> {sentence}", markup=False, soft_wrap=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """A line when it begins, a moving sign while it lasts, the time when it was long."""
    started = time.monotonic()
    say(title)
    with console.status(title):
        yield
    if (took := time.monotonic() - started) > 2:
        say(f"{title}: done in {took:.0f} s")


def await_true(condition: Callable[[], bool], seconds: float, failure: str) -> None:
    """Asks until it is true; raises StartError(failure) when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StartError(failure)
        time.sleep(0.05)
