"""The administration's first page: uploads, queues, index, storage and failures at a glance.

Every number comes from the database, or from the broker within half a second; what takes longer,
the workers' answers, is asked for by the page once it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from matcher.figures import upload_figures
from soundsite import broker, charts, failures
from tracks import figures
from tracks.index_figures import index_figures
from tracks.models import Job

SEEN = ("matcher.view_upload", "tracks.view_indexentry", "tracks.view_job", "tracks.view_track")
DAY = timedelta(hours=24)
# By queue: which jobs wait for its workers.
JOBS = {
    "index": {"import": Job.Kind.IMPORT},
    "train": {"training": Job.Kind.TRAIN, "evaluation": Job.Kind.EVALUATE},
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback. Who may not see all of it gets Django's plain list instead."""
    if not request.user.has_perms(SEEN):
        return context
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    uploads, versions, messages = upload_figures(midnight), index_figures(), broker.messages()
    return {
        **context,
        "title": "Overview",
        "uploads": uploads,
        "catalogue": figures.catalogue_figures(),
        "versions": versions,
        "queues": queues(figures.Waiting(uploads.queued, uploads.oldest), messages or {}),
        "broker": messages is not None,
        "charts": charts.of_the_last_day(now - DAY, now),
        "codes": failures.by_code(versions, now),
        "latest": failures.latest(),
        "dashboard": True,
    }


def queues(uploads: figures.Waiting, messages: dict[str, int]) -> list[dict[str, Any]]:
    """A row for each queue: what waits for its workers, since when, and messages on the way."""
    jobs = figures.waiting_jobs()
    waiting: dict[str, dict[str, figures.Waiting]] = {
        "match": {"upload": uploads},
        "index": {"track": figures.waiting_to_be_indexed()},
        "train": {},
        "maintenance": {},
    }
    for queue, kinds in JOBS.items():
        waiting[queue] |= {name: jobs[kind] for name, kind in kinds.items() if kind in jobs}
    return [
        {
            "name": queue,
            "waits": [(name, found.count) for name, found in waiting[queue].items() if found.count],
            "oldest": _oldest(waiting[queue].values()),
            "messages": messages.get(queue),
        }
        for queue in broker.QUEUES
    ]


def _oldest(waiting: Iterable[figures.Waiting]) -> datetime | None:
    return min((found.oldest for found in waiting if found.oldest), default=None)


def workers(request: HttpRequest) -> HttpResponse:
    """The fragment that tells which workers are alive; takes the second of a ping."""
    if not request.user.has_perms(SEEN):
        raise PermissionDenied
    found = broker.workers()
    alive = None if found is None else [_label(queue, count) for queue, count in found.items()]
    return render(request, "admin/dashboard/_workers.html", {"alive": alive})


def _label(queue: str, count: int) -> tuple[str, str]:
    """Words and colour."""
    return f"{queue}: {count or 'none'}", "success" if count else "danger"


workers_view = admin.site.admin_view(workers)
