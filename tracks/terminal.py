"""What commands print on."""

from __future__ import annotations

from typing import IO, cast

from django.core.management.base import OutputWrapper
from rich.console import Console


def console_on(stdout: OutputWrapper) -> Console:
    """A console for a command's output: lines are not broken, and bars only show on a terminal."""
    return Console(file=cast("IO[str]", stdout), soft_wrap=True, highlight=False)
