"""The index, entry by entry."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from tracks.admin.common import STATE_COLOURS, ReadOnlyAdmin, why
from tracks.models import IndexEntry
from tracks.services import index


@admin.register(IndexEntry)
class IndexEntryAdmin(ReadOnlyAdmin):
    list_display = ("track", "model_version", "state_label", "why", "attempt", "indexed_at")
    list_filter = ("state", "model_version", "error_code")
    search_fields = ("track__title", "track__artist", "track__soundtrack", "error_code")
    list_select_related = ("track", "model_version")
    list_per_page = 50
    fields = (
        *("track", "model_version", "state", "why", "error_code", "error_detail"),
        *("attempt", "losses", "heartbeat_at", "created_at", "indexed_at"),
    )
    actions = ("retry",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[IndexEntry]:
        return super().get_queryset(request).defer("embedding", "encoding")

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, entry: IndexEntry) -> str:
        return entry.state

    @display(description="Reason")
    def why(self, entry: IndexEntry) -> str:
        return why(entry)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tracks.change_indexentry")

    @action(description="Index again what failed", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[IndexEntry]) -> None:
        queued = sum(index.retry(entry) for entry in queryset)
        self.message_user(request, f"{queued} failed entries were queued again.", messages.SUCCESS)
