"""What is done with chosen tracks after a page that asks: editing, taking down, bringing back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action

from tracks.chosen_forms import EditForm, RestoreForm, WithdrawForm
from tracks.models import Track
from tracks.services import catalogue, withdrawal

SHOWN = 20
WITHDRAW = (
    "It is gone from the catalogue, the search and from answers at once, and its audio file is "
    "deleted. The row stays as the trace, so that no import brings it back by mistake. It can be "
    "restored by whoever has the file."
)
EDIT = "Only the fields that you fill in are changed; every change is in the track's history."
RESTORE = "The very same file is needed. The track is then indexed again."


class ChosenActions(ModelAdmin):
    """Actions of the tracks' list, and the same for one track on its page."""

    def ask(
        self, request: HttpRequest, form: Any, tracks: QuerySet[Track], **words: str
    ) -> HttpResponse:
        """The page between an action and its deed."""
        names = ("action", "select_across")
        hidden = [(name, request.POST[name]) for name in names if name in request.POST]
        hidden += [(ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            "hidden": hidden,
            "tracks": tracks[:SHOWN],
            "more": max(0, tracks.count() - SHOWN),
            "back": reverse("admin:tracks_track_changelist"),
            **words,
        }
        return render(request, "admin/tracks/ask.html", context)

    @action(description="Edit chosen tracks", permissions=["change"])
    def edit(self, request: HttpRequest, queryset: QuerySet[Track]) -> HttpResponse | None:
        form = EditForm(request.POST if "sure" in request.POST else None)
        if not form.is_valid():
            words = {"title": "Edit chosen tracks", "about": EDIT, "verb": "Change them"}
            return self.ask(request, form, queryset, **words)
        changed = sum(self._edit(request, track, form) for track in queryset)
        self.message_user(request, f"{changed} tracks were changed.", messages.SUCCESS)
        return None

    def _edit(self, request: HttpRequest, track: Track, form: EditForm) -> bool:
        names = catalogue.edit_texts(track, form.texts())
        if names:
            fields = [str(form.fields[name].label) for name in names]
            self.log_change(request, track, [{"changed": {"fields": fields}}])
        return bool(names)

    @action(description="Withdraw chosen tracks", permissions=["delete"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Track]) -> HttpResponse | None:
        form = WithdrawForm(request.POST if "sure" in request.POST else None)
        shown = queryset.filter(withdrawn_at=None)
        if not form.is_valid():
            words = {"title": "Withdraw tracks", "about": WITHDRAW, "verb": "Withdraw"}
            return self.ask(request, form, shown, **words)
        done = sum(self._withdraw(request, track, form.cleaned_data["why"]) for track in shown)
        self.message_user(request, f"{done} tracks were withdrawn.", messages.SUCCESS)
        return None

    def _withdraw(self, request: HttpRequest, track: Track, why: str) -> bool:
        done = withdrawal.withdraw(track, why)
        if done:
            self.log_change(request, track, f"Withdrawn: {why}")
        return done

    def has_take_down_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_delete_permission(request) and self._is_withdrawn(object_id) is False

    def has_bring_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_change_permission(request) and self._is_withdrawn(object_id) is True

    def _is_withdrawn(self, pk: Any) -> bool | None:
        """None where there is no such track."""
        track = Track.objects.filter(pk=pk).only("withdrawn_at").first()
        return bool(track.withdrawn_at) if track else None

    @action(description="Withdraw", url_path="withdraw", permissions=["take_down"])
    def withdraw_one(self, request: HttpRequest, object_id: int) -> HttpResponse:
        response = self.withdraw(request, Track.objects.filter(pk=object_id))
        return response or redirect("admin:tracks_track_change", object_id)

    @action(description="Restore", url_path="restore", permissions=["bring_back"])
    def restore_one(self, request: HttpRequest, object_id: int) -> HttpResponse:
        track = get_object_or_404(Track, pk=object_id)
        form = RestoreForm(request.POST or None, request.FILES or None, track=track)
        if not form.is_valid():
            words = {"title": "Restore a track", "about": RESTORE, "verb": "Restore"}
            return self.ask(request, form, Track.objects.filter(pk=object_id), **words)
        if withdrawal.restore(track, form.cleaned_data["audio"]):
            self.log_change(request, track, "Restored")
            self.message_user(request, "The track was restored.", messages.SUCCESS)
        return redirect("admin:tracks_track_change", object_id)
