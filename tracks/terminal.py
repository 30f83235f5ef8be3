"""What commands print on, and how they tell of an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.markup import escape
from rich.progress import track as progress

from tracks.reasons import reason

if TYPE_CHECKING:
    from tracks.importer import Outcome  # decodes: not for every command


def console_on(stdout: OutputWrapper) -> Console:
    """A console for a command's output: lines are not broken, and bars only show on a terminal."""
    return Console(file=cast("IO[str]", stdout), soft_wrap=True, highlight=False)


def tell_import(
    console: Console, outcomes: Iterator[Outcome], total: int, folder: Path, note: str = ""
) -> None:
    """A line for each file that was not taken, and the sum; an import fails by all but duplicates.

    Args:
        note: a sentence about what was passed over, before the sum.

    Raises:
        SystemExit: 1, something was not taken for another reason than that it was there already.
    """
    bar = console.is_terminal
    shown = progress(outcomes, "Importing", total, console=console, transient=True, disable=not bar)
    codes: Counter[str] = Counter()
    for outcome in shown:
        codes[outcome.code] += 1
        if not outcome.code:
            continue
        name, text = outcome.path.relative_to(folder), reason(outcome.code, outcome.detail)
        console.print(escape(f"{name}: {outcome.code}: {text}"))
    if note:
        console.print(note)
    console.print(f"{codes['']} imported, {codes.total() - codes['']} reported")
    if set(codes) - {"", "duplicate"}:
        raise SystemExit(1)
