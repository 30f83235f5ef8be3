"""The administration of uploads: looking, queueing again, deleting. Jobs write the rest."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.import_export.forms import ExportForm
from unfold.decorators import action, display

from matcher import services
from matcher.errors import text_of
from matcher.models import RUNNING, Feedback, Match, State, Upload, Verdict
from matcher.resources import FeedbackResource
from tracks.admin.common import breakable

# django-allauth's pages show the secrets of second factors and everybody's addresses.
admin.site.unregister([Authenticator, UserSession])

STATE_COLOURS = {
    State.FINISHED.label: "success",
    State.FAILED.label: "danger",
    State.QUEUED.label: "warning",
    **{state.label: "info" for state in RUNNING},
}

VERDICT_COLOURS = {Verdict.GOOD.label: "success", Verdict.NOT_SIMILAR.label: "danger"}


class LookingOnly:
    """Rows that only jobs write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MatchInline(LookingOnly, TabularInline):
    model = Match
    fields = ("rank", "track", "score", "distance", "same_recording")
    ordering = ("rank",)
    extra = 0
    can_delete = False


@admin.register(Upload)
class UploadAdmin(LookingOnly, ModelAdmin):
    list_display = ("original_name", "owner", "state_label", "error_code", "attempt", "created_at")
    list_filter = ("state", "error_code", "model_version", "created_at")
    search_fields = (
        *("id", "original_name", "owner__username", "owner__email"),
        *("sha256", "error_code", "matches__track__title"),
    )
    list_select_related = ("owner",)
    list_per_page = 50
    view_on_site = False  # the page is its owner's alone
    date_hierarchy = "created_at"
    fields = (
        *("id", "owner", "name", "parent", "question"),
        *("state", "why", "error_code", "error_detail"),
        *("attempt", "attempts_left", "model_version", "audio_name", "size", "duration"),
        *("digest", "created_at", "queued_at", "started_at", "heartbeat_at", "finished_at"),
    )
    inlines = (MatchInline,)
    actions = ("queue_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).defer(*Upload.BULKY)

    @display(description=_("State"), ordering="state", label=STATE_COLOURS)
    def state_label(self, upload: Upload) -> str:
        return upload.get_state_display()

    @display(description=_("Original name"))
    def name(self, upload: Upload) -> str:
        return breakable(upload.original_name)

    @display(description="SHA-256")
    def digest(self, upload: Upload) -> str:
        return breakable(upload.sha256)

    @display(description=_("What its owner is told"))
    def why(self, upload: Upload) -> str:
        if not upload.error_code:
            return ""
        text = text_of(upload.error_code)
        return format_html("{}. {} {}", text.title, text.sentence, text.advice)

    @display(description=_("File"))
    def audio_name(self, upload: Upload) -> str:
        return upload.audio.name or ""

    def has_queue_again_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("matcher.change_upload"))

    @action(description=_("Queue again"), permissions=["queue_again"])
    def queue_again(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        queued = sum(self._queue_again(request, upload) for upload in queryset)
        sentence = ngettext(
            "%d upload was queued again; those that had not ended were left alone.",
            "%d uploads were queued again; those that had not ended were left alone.",
            queued,
        )
        self.message_user(request, sentence % queued, messages.SUCCESS)

    def _queue_again(self, request: HttpRequest, upload: Upload) -> bool:
        queued = services.queue_again(upload)
        if queued:
            self.log_change(request, upload, "Queued again")
        return queued

    def delete_model(self, request: HttpRequest, obj: Upload) -> None:
        services.delete_upload(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        for upload in queryset:
            services.delete_upload(upload)


@admin.register(Match)
class MatchAdmin(LookingOnly, ModelAdmin):
    list_display = ("upload", "rank", "track", "score", "distance", "same_recording")
    list_filter = ("rank", "same_recording", "upload__model_version")
    search_fields = ("upload__original_name", "upload__owner__username", "track__title")
    list_select_related = ("upload", "track")
    list_per_page = 50
    ordering = ("-upload__created_at", "rank")


@admin.register(Feedback)
class FeedbackAdmin(LookingOnly, ExportMixin, ModelAdmin):
    resource_classes = (FeedbackResource,)
    export_form_class = ExportForm
    formats = (CSV,)
    list_display = ("track", "verdict_label", "user", "upload", "model_version", "said_at")
    list_filter = ("verdict", "model_version", "track__soundtrack", "said_at")
    search_fields = (
        *("track__title", "track__soundtrack", "track__sha256", "query_sha256"),
        *("user__username", "upload__original_name"),
    )
    list_select_related = ("track", "user", "upload", "model_version")
    list_per_page = 50
    date_hierarchy = "said_at"
    fields = (
        *("verdict", "track", "user", "upload", "digest"),
        *("model_version", "said_at"),
    )

    @display(description=_("Verdict"), ordering="verdict", label=VERDICT_COLOURS)
    def verdict_label(self, feedback: Feedback) -> str:
        return feedback.get_verdict_display()

    @display(description=_("SHA-256 of the file"))
    def digest(self, feedback: Feedback) -> str:
        return breakable(feedback.query_sha256)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(Authenticator)
class AuthenticatorAdmin(LookingOnly, ModelAdmin):
    """Deleted for a person who has lost the second factor and its recovery codes."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "last_used_at")
    search_fields = ("user__username", "user__email")
    list_select_related = ("user",)
    list_per_page = 50
    fields = ("user", "type", "created_at", "last_used_at")
