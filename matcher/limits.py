"""What files are taken and how many, for the pages and the texts that say so."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from tracks.basket import MOST_SEEDS

_MEGABYTE = 1024 * 1024


def limits() -> dict[str, Any]:
    return {
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "max_size": size_words(settings.UPLOAD_MAX_BYTES),
        "min_seconds": settings.UPLOAD_MIN_SECONDS,
        "kept_days": settings.UPLOADS_KEPT_DAYS,
        "max_seeds": MOST_SEEDS,
        "max_jobs": settings.UPLOADS_AT_ONCE,
        "max_files": settings.UPLOADS_PER_DAY,
        "max_kept": size_words(settings.UPLOADS_KEPT_BYTES),
        "max_minutes": f"{settings.UPLOAD_MAX_SECONDS / 60:.4g}",
    }


def size_words(size: int) -> str:
    """A size as people write limits: `100 MB`, not `100.0 MB`."""
    if size % (1024 * _MEGABYTE) == 0:
        return f"{size // (1024 * _MEGABYTE)} GB"
    if size % _MEGABYTE == 0:
        return f"{size // _MEGABYTE} MB"
    return filesizeformat(size)
