"""What a long command says of itself: one JSON object a line, for the process that started it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def tell(**facts: Any) -> None:
    """A line on standard output; what is not a number is null."""
    print(json.dumps(_plain(facts), allow_nan=False), flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
