"""The tracks of the catalogue."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from import_export.admin import ImportExportModelAdmin
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.decorators import action, display

from tracks.admin.chosen import ChosenActions
from tracks.admin.common import STATE_COLOURS, breakable, why
from tracks.admin.imports import may_import
from tracks.admin.reindexing import may_reindex, reindex_tracks
from tracks.forms import TEXTS, TrackForm
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.resources import FORMATS, TrackResource
from tracks.services import catalogue
from tracks.templatetags.lengths import minutes


class ActiveStateFilter(admin.SimpleListFilter):
    """Tracks by the state of their entry in the active version's index."""

    title = "state in the index"
    parameter_name = "index"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*IndexEntry.State.choices, ("none", "Not queued")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "none":
            return queryset.filter(index_state=None)
        return queryset.filter(index_state=self.value()) if self.value() else queryset


class WithdrawnFilter(admin.SimpleListFilter):
    """Tracks that are in the catalogue, or of which only the trace is left."""

    title = "withdrawn"
    parameter_name = "withdrawn"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "In the catalogue"), ("yes", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"no": True, "yes": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(withdrawn_at__isnull=wanted)


@admin.register(Track)
class TrackAdmin(ChosenActions, ImportExportModelAdmin):
    form = TrackForm
    resource_classes = (TrackResource,)
    import_form_class = ImportForm
    export_form_class = ExportForm
    formats = FORMATS
    import_template_name = "admin/imports/rows.html"
    list_display = ("title", "artist", "soundtrack", "genre", "licence", "index_label", "length")
    list_filter = (
        *(ActiveStateFilter, WithdrawnFilter, "soundtrack", "genre", "year", "licence"),
        *("subset", "generated"),
    )
    list_filter_submit = False
    search_fields = ("title", "artist", "soundtrack", "genre", "licence", "source", "sha256")
    readonly_fields = (
        *("player", "index", "length", "size", "digest", "generated", "created_at"),
        *("withdrawn_at", "withdrawn_why"),
    )
    actions = ("retry", "reindex", "edit", "withdraw")
    actions_list = ("import_music",)
    actions_detail = ("withdraw_one", "restore_one")
    list_per_page = 50
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Track]:
        entry = IndexEntry.objects.filter(
            track=OuterRef("pk"), model_version__state=ModelVersion.State.ACTIVE
        )
        return (
            super()
            .get_queryset(request)
            .annotate(
                index_state=Subquery(entry.values("state")),
                index_error=Subquery(entry.values("error_code")),
            )
        )

    def get_fields(self, request: HttpRequest, obj: Track | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("audio", *TEXTS)
        left_out = {"player", "index"} if obj.withdrawn_at else {"withdrawn_at", "withdrawn_why"}
        return (*TEXTS, *(name for name in self.readonly_fields if name not in left_out))

    def view_on_site(self, obj: Track) -> str | None:
        return None if obj.withdrawn_at else obj.get_absolute_url()

    @display(description="Index", ordering="index_state", label=STATE_COLOURS)
    def index_label(self, track: Any) -> tuple[str, str]:
        if track.withdrawn_at:
            return "WITHDRAWN", "Withdrawn"
        state = track.index_state or "Not queued"
        return state, f"{state}: {track.index_error}" if track.index_error else state

    @display(description="Length", ordering="duration")
    def length(self, track: Track) -> str:
        return minutes(track.duration) or "not known yet"

    @display(description="SHA-256")
    def digest(self, track: Track) -> str:
        return breakable(track.sha256)

    @display(description="Audio")
    def player(self, track: Track) -> str:
        source = reverse("tracks:audio", args=[track.pk])
        return format_html(
            '<audio class="dark:scheme-dark" controls preload="none" src="{}"></audio>', source
        )

    @display(description="Index")
    def index(self, track: Track) -> str:
        entries = track.entries.select_related("model_version").defer(*IndexEntry.BULKY)
        rows = [(entry.model_version, entry.get_state_display(), why(entry)) for entry in entries]
        return format_html_join("", "<p>{}: {} {}</p>", rows) or "Not queued"

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may_import(request)

    @action(description="Import music", permissions=["import"], url_path="import-music")
    def import_music(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:tracks_import_music")

    def save_model(self, request: HttpRequest, obj: Track, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=[*TEXTS, "updated_at"])
            return
        track, _ = catalogue.add_track(form.cleaned_data["audio"], form.texts())
        obj.pk = track.pk
        obj.refresh_from_db()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, ...]:
        """Index entries and matches go with their track and need no permission of their own."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected

    def delete_model(self, request: HttpRequest, obj: Track) -> None:
        catalogue.delete_track(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Track]) -> None:
        for track in queryset:
            catalogue.delete_track(track)

    def has_reindex_permission(self, request: HttpRequest) -> bool:
        return may_reindex(request)

    @action(description="Index again what failed", permissions=["reindex"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Track]) -> HttpResponse:
        return reindex_tracks(request, queryset, only_failed=True)

    @action(description="Index again", permissions=["reindex"])
    def reindex(self, request: HttpRequest, queryset: QuerySet[Track]) -> HttpResponse:
        return reindex_tracks(request, queryset)
