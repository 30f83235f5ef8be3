"""The index: a page of how far it has come, and its entries one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from tracks.admin.common import STATE_COLOURS, ReadOnlyAdmin, owner_of, why
from tracks.admin.reindexing import may_reindex, reindex_entries, told
from tracks.index_figures import index_figures
from tracks.models import IndexEntry, ModelVersion
from tracks.services import reindex


@admin.register(IndexEntry)
class IndexEntryAdmin(ReadOnlyAdmin):
    list_display = ("track", "model_version", "state_label", "why", "attempt", "ended")
    list_filter = ("state", "model_version", "error_code")
    search_fields = ("track__title", "track__artist", "track__soundtrack", "error_code")
    list_select_related = ("track", "model_version")
    list_per_page = 50
    fields = (
        *("track", "model_version", "state", "why", "error_code", "error_detail", "job"),
        *("attempt", "losses", "heartbeat_at", "created_at", "ended"),
    )
    actions = ("retry", "reindex")

    def get_queryset(self, request: HttpRequest) -> QuerySet[IndexEntry]:
        return super().get_queryset(request).defer(*IndexEntry.BULKY)

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, entry: IndexEntry) -> str:
        return entry.state

    @display(description="Reason")
    def why(self, entry: IndexEntry) -> str:
        return why(entry)

    @display(description="Ended", ordering="indexed_at")
    def ended(self, entry: IndexEntry) -> datetime | None:
        """Its last attempt, whatever came of it."""
        return entry.indexed_at

    def has_reindex_permission(self, request: HttpRequest) -> bool:
        return may_reindex(request)

    @action(description="Index again what failed", permissions=["reindex"])
    def retry(self, request: HttpRequest, queryset: QuerySet[IndexEntry]) -> HttpResponse:
        return reindex_entries(request, queryset, only_failed=True)

    @action(description="Index again", permissions=["reindex"])
    def reindex(self, request: HttpRequest, queryset: QuerySet[IndexEntry]) -> HttpResponse:
        return reindex_entries(request, queryset)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        again = view(require_POST(self.again))
        return [
            path("overview/", view(self.overview), name="tracks_index"),
            path("overview/live/", view(self.live), name="tracks_index_live"),
            path("overview/<int:pk>/again/", again, name="tracks_index_again"),
            *super().get_urls(),
        ]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Coverage, queue, failures and rate of every live version."""
        return render(request, "admin/index_page/page.html", self._context(request))

    def live(self, request: HttpRequest) -> HttpResponse:
        """The part of the page that changes."""
        return render(request, "admin/index_page/_live.html", self._context(request))

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Queue all of a version, what failed in it, or what failed with the one code."""
        if not may_reindex(request):
            raise PermissionDenied
        version, owner = get_object_or_404(ModelVersion, pk=pk), owner_of(request)
        if request.POST.get("what") == "all":
            job = reindex.everything(version, owner)
        else:
            job = reindex.failed(version, request.POST.get("code", ""), owner)
        return told(request, job, "admin:tracks_index")

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        figures = index_figures()
        return {
            **self.admin_site.each_context(request),
            "title": "Index",
            "versions": figures,
            "busy": any(version.pending for version in figures),
            "may_reindex": may_reindex(request),
        }
