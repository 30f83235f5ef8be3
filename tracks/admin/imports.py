"""The page that takes music in numbers, and what a job of it shows: the plan, file by file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from tracks.admin.common import begun
from tracks.models import ImportItem, Job
from tracks.reasons import reason
from tracks.services import imports

A_PAGE = 50


class FilesWidget(UnfoldAdminFileFieldWidget):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files."""

    widget = FilesWidget

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        # Empty files are not refused here: each file has a row of its own that says so.
        return [file for file in data or [] if file]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class ImportMusicForm(forms.Form):
    """Files, a zip, or both."""

    audio = FilesField(
        required=False,
        label="Audio files",
        help_text="Choose as many as you like. What is no music by its ending is passed over.",
    )
    archive = forms.FileField(
        required=False,
        label="A zip of music",
        widget=UnfoldAdminFileFieldWidget,
        help_text="A folder's name is the soundtrack of the files that have no album in their "
        "tags.",
    )
    renew = forms.BooleanField(
        required=False,
        initial=True,
        label="Renew titles, artists and soundtracks of tracks that are there already",
        widget=UnfoldBooleanSwitchWidget,
        help_text="By the tags of the same file; the plan shows each change before it is made.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("audio") or cleaned.get("archive")):
            raise forms.ValidationError("Choose files or a zip.", code="nothing-to-import")
        return cleaned


def may_import(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("tracks.add_track"))


def import_page(request: HttpRequest) -> HttpResponse:
    """Stores what was sent and starts the job that looks at it."""
    if not may_import(request):
        raise PermissionDenied
    sent = request.method == "POST"
    form = ImportMusicForm(request.POST, request.FILES) if sent else ImportMusicForm()
    if sent and form.is_valid():
        return _started(request, form)
    context = {**admin.site.each_context(request), "title": "Import music", "form": form}
    return render(request, "admin/imports/form.html", context)


def _started(request: HttpRequest, form: ImportMusicForm) -> HttpResponse:
    assert isinstance(request.user, User)
    given = form.cleaned_data
    job = imports.start(
        given["audio"],
        given["archive"],
        owner=request.user,
        renew=given["renew"] and request.user.has_perm("tracks.change_track"),
    )
    page = begun(request, job)
    if request.user.has_perm("tracks.view_job"):
        return page
    messages.success(request, f"{job.title} has begun.")
    return redirect("admin:tracks_track_changelist")


def import_details(request: HttpRequest, job: Job) -> Mapping[str, Any]:
    """A page of the items, those of one state if asked, and how many each state has."""
    state = request.GET.get("state", "")
    items = job.items.select_related("track")
    if state in ImportItem.State.values:
        items = items.filter(state=state)
    page = Paginator(items, A_PAGE).get_page(request.GET.get("page"))
    rows = [(item, _remark(item)) for item in page]
    return {"rows": rows, "page": page, "chosen": state, "counts": _counts(job)}


def _counts(job: Job) -> list[tuple[str, str, int]]:
    """State, its word and its number, for those that occur."""
    found = dict(job.items.order_by().values_list("state").annotate(Count("pk")))
    return [
        (state.value, state.label, found[state]) for state in ImportItem.State if state in found
    ]


def _remark(item: ImportItem) -> str:
    return reason(item.code, item.detail) if item.code else item.detail
