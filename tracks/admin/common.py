"""What the administration's pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from tracks.models import IndexEntry, Job
from tracks.reasons import reason

STATE_COLOURS = {
    "INDEXED": "success",
    "PENDING": "info",
    "FAILED": "danger",
    "WITHDRAWN": "warning",
}


def why(entry: IndexEntry) -> str:
    return reason(entry.error_code, entry.error_detail) if entry.error_code else ""


def breakable(word: str) -> str:
    """On several lines where there is no room for it on one."""
    return format_html('<span style="overflow-wrap: anywhere">{}</span>', word)


def owner_of(request: HttpRequest) -> User:
    """The administrator whom `admin_view` has let in."""
    return cast(User, request.user)


def begun(request: HttpRequest, job: Job) -> HttpResponse:
    """Leads to the page of a new job, whose history says who began it."""
    admin.site.get_model_admin(Job).log_addition(request, job, "Begun")
    return redirect(job)


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PageAdmin(ReadOnlyAdmin):
    """Rows that have a page of their own in the place of a form."""

    page = ""  # its template

    def page_context(self, request: HttpRequest, row: Any) -> Mapping[str, Any]:
        """What the template needs beside what every page has."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        return self.shown(request, object_id, self.page)

    def shown(self, request: HttpRequest, pk: str | int, template: str) -> HttpResponse:
        """A row by the page's template, or by that of a part of the page."""
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), **self.page_context(request, row)}
        return render(request, template, context)
