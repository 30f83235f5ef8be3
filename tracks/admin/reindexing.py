"""The actions that have tracks heard again; each leads to the page of its job."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tracks.admin.common import begun, owner_of
from tracks.models import IndexEntry, Job, Track
from tracks.services import reindex


def may_reindex(request: HttpRequest) -> bool:
    return request.user.has_perm("tracks.change_indexentry")


def reindex_tracks(
    request: HttpRequest, tracks: QuerySet[Track], *, only_failed: bool = False
) -> HttpResponse:
    """Every live version hears the chosen tracks again, or only where that failed."""
    entries = IndexEntry.objects.filter(track__in=tracks.order_by().values("pk"))
    back = "admin:tracks_track_changelist"
    return _reindex(request, entries, back, only_failed=only_failed)


def reindex_entries(
    request: HttpRequest, entries: QuerySet[IndexEntry], *, only_failed: bool = False
) -> HttpResponse:
    """The chosen entries, or those of them that failed."""
    back = "admin:tracks_indexentry_changelist"
    return _reindex(request, entries, back, only_failed=only_failed)


def _reindex(
    request: HttpRequest, entries: QuerySet[IndexEntry], back: str, *, only_failed: bool
) -> HttpResponse:
    if only_failed:
        entries = entries.filter(state=IndexEntry.State.FAILED)
    title = "Chosen tracks that failed" if only_failed else "Chosen tracks again"
    return told(request, reindex.queue(entries, title, owner_of(request)), back)


def told(request: HttpRequest, job: Job | None, back: str) -> HttpResponse:
    """The job's page, or a word on why there is none."""
    if job is not None:
        return begun(request, job)
    words = "Nothing was queued: what you chose waits already, or is of no live version."
    messages.warning(request, words)
    return redirect(back)
