"""Long jobs: a list, and a page for each that follows it live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from tracks.admin.common import PageAdmin
from tracks.admin.imports import import_details, import_page, may_import
from tracks.admin.index_details import index_details
from tracks.models import Job
from tracks.progress import progress_of
from tracks.reasons import reason
from tracks.services import imports, jobs

State = Job.State
COLOURS = {
    State.FINISHED.label: "success",
    State.RUNNING.label: "info",
    State.PLANNED.label: "warning",
    State.PAUSED.label: "warning",
    State.FAILED.label: "danger",
}

# What a kind shows beside its bar: the template of it and what that needs.
Details = Callable[[HttpRequest, Job], Mapping[str, Any]]
DETAILS: dict[str, tuple[str, Details]] = {
    Job.Kind.INDEX: ("admin/jobs/_index.html", index_details),
    Job.Kind.IMPORT: ("admin/jobs/import.html", import_details),
}

ORDERS: dict[str, tuple[str, Callable[[Job], bool], list[Job.State]]] = {
    "go": ("Do it", jobs.go, [State.PLANNED]),
    "pause": ("Pause", jobs.pause, [State.QUEUED, State.RUNNING]),
    "resume": ("Resume", jobs.resume, [State.PAUSED]),
    "cancel": (
        "Cancel",
        jobs.cancel,
        [State.QUEUED, State.RUNNING, State.PLANNED, State.PAUSED],
    ),
}


@admin.register(Job)
class JobAdmin(PageAdmin):
    page = "admin/jobs/page.html"
    list_display = ("title", "kind", "state_label", "how_far", "owner", "created_at")
    list_filter = ("kind", "state")
    search_fields = ("title",)
    list_select_related = ("owner",)
    list_per_page = 50
    actions_list = ("import_music",)

    @display(description="State", ordering="state", label=COLOURS)
    def state_label(self, job: Job) -> str:
        return job.get_state_display()

    @display(description="Progress")
    def how_far(self, job: Job) -> str:  # not `progress`: the list would show that field
        found = progress_of(job)
        return f"{found.done} of {found.total}" if found.total else ""

    def get_urls(self) -> list[Any]:
        live = self.admin_site.admin_view(self.live)
        order = self.admin_site.admin_view(require_POST(self.order))
        return [
            path("import/", self.admin_site.admin_view(import_page), name="tracks_import_music"),
            path("<int:pk>/live/", live, name="tracks_job_live"),
            path("<int:pk>/<slug:name>/order/", order, name="tracks_job_order"),
            *super().get_urls(),
        ]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may_import(request)

    @action(description="Import music", permissions=["import"], url_path="import-music")
    def import_music(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:tracks_import_music")

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that changes."""
        return self.shown(request, pk, "admin/jobs/_live.html")

    def order(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Pause, resume, cancel, or do what was planned."""
        if not request.user.has_perm("tracks.change_job"):
            raise PermissionDenied
        job = get_object_or_404(Job, pk=pk)
        if job.kind == Job.Kind.IMPORT and not request.user.has_perm("tracks.add_track"):
            raise PermissionDenied
        if name not in ORDERS:
            raise Http404
        words, obey, _ = ORDERS[name]
        if obey(job):
            self.log_change(request, job, words)
        else:
            messages.warning(request, f"The job is {job.get_state_display()} by now.")
        if job.kind == Job.Kind.IMPORT and name == "cancel":
            imports.clean(job)
        return redirect(job)

    def page_context(self, request: HttpRequest, job: Job) -> Mapping[str, Any]:
        template, details = DETAILS.get(job.kind, ("", _no_details))
        return {
            "title": job.title,
            "job": job,
            "progress": progress_of(job),
            "why": reason(job.error_code, job.error_detail) if job.error_code else "",
            "orders": _orders(job) if request.user.has_perm("tracks.change_job") else [],
            "details": template,
            **details(request, job),
        }


def _orders(job: Job) -> list[tuple[str, str]]:
    """Names and words of what can be told to the job as it stands."""
    return [(name, words) for name, (words, _, states) in ORDERS.items() if job.state in states]


def _no_details(request: HttpRequest, job: Job) -> Mapping[str, Any]:
    return {}
