from __future__ import annotations

import numpy as np
from django import template

register = template.Library()
BARS = 200  # of a picture 200 wide and 64 high
_MIDDLE = 32


@register.filter
def bars(peaks: bytes | memoryview | None) -> str:
    """A piece's loudest samples, as `ml.peaks` keeps them, as upright bars: the `d` of a path.

    Empty where there are no peaks.
    """
    columns = np.frombuffer(peaks or b"", np.uint8)
    columns = columns[: len(columns) // 2]
    if not len(columns) or len(columns) % BARS:
        return ""
    heights = np.maximum(1, np.rint(columns.reshape(BARS, -1).max(axis=1) * (_MIDDLE / 255)))
    return "".join(
        f"M{place}.5 {_MIDDLE - height}v{2 * height}"
        for place, height in enumerate(heights.astype(int))
    )
