from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def minutes(seconds: float | None) -> str:
    """Seconds as people write the length of a song.

    >>> minutes(125.4)
    '2:05'
    """
    if seconds is None:
        return ""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
