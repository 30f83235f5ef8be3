"""What the administration's pages share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from tracks.models import IndexEntry
from tracks.reasons import reason

STATE_COLOURS = {
    "INDEXED": "success",
    "PENDING": "info",
    "FAILED": "danger",
    "WITHDRAWN": "warning",
}


def why(entry: IndexEntry) -> str:
    return reason(entry.error_code, entry.error_detail) if entry.error_code else ""


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
