"""What files are taken, for the pages and the texts that say so."""

from __future__ import annotations

from typing import Any

from django.conf import settings


def limits() -> dict[str, Any]:
    return {
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "min_seconds": settings.UPLOAD_MIN_SECONDS,
        "max_minutes": settings.UPLOAD_MAX_SECONDS // 60,
    }
