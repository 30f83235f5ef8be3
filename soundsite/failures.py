"""What failed of uploads, tracks and jobs, put together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count
from django.urls import reverse

from matcher.errors import text_of
from matcher.figures import failed_uploads, upload_failures_by_code
from matcher.models import Upload
from tracks.figures import failed_entries, failed_jobs
from tracks.index_figures import IndexFigures
from tracks.models import IndexEntry, Job
from tracks.reasons import reason

WEEK = timedelta(days=7)
LATEST = 10


@dataclass(frozen=True)
class Failure:
    """One thing that failed, with the page that tells more."""

    when: datetime | None
    kind: str
    name: str
    url: str
    code: str
    why: str


@dataclass(frozen=True)
class Code:
    """How often something failed with one code: uploads and jobs lately, tracks as they stand."""

    code: str
    sentence: str
    uploads: int
    tracks: int
    jobs: int


def by_code(versions: list[IndexFigures], now: datetime) -> list[Code]:
    """The commonest first."""
    tracks: Counter[str] = Counter()
    for version in versions:
        tracks.update({failure.code: failure.count for failure in version.failures})
    uploads = Counter(upload_failures_by_code(now - WEEK))
    recent = failed_jobs().filter(ended_at__gte=now - WEEK).order_by()
    jobs = Counter(dict(recent.values_list("error_code").annotate(Count("pk"))))
    return [
        Code(code, sentence(code), uploads[code], tracks[code], jobs[code])
        for code, _ in (tracks + uploads + jobs).most_common()
        for sentence in (reason if tracks[code] or jobs[code] else _told_to_visitors,)
    ]


def _told_to_visitors(code: str) -> str:
    return f"{text_of(code).title}."


def latest() -> list[Failure]:
    """The last ten of all."""
    found = [
        *map(_of_upload, failed_uploads()[:LATEST]),
        *map(_of_entry, failed_entries()[:LATEST]),
        *map(_of_job, failed_jobs()[:LATEST]),
    ]
    return sorted(found, key=_ended, reverse=True)[:LATEST]


def _ended(failure: Failure) -> datetime:
    """A failure of before this was kept comes last."""
    return failure.when or datetime.min.replace(tzinfo=UTC)


def _of_upload(upload: Upload) -> Failure:
    why = _told_to_visitors(upload.error_code)
    if upload.error_detail:
        why = f"{why} ({upload.error_detail})"
    url = reverse("admin:matcher_upload_change", args=[upload.pk])
    name = upload.original_name
    return Failure(upload.finished_at, "Upload", name, url, upload.error_code, why)


def _of_entry(entry: IndexEntry) -> Failure:
    url = reverse("admin:tracks_indexentry_change", args=[entry.pk])
    why = reason(entry.error_code, entry.error_detail)
    return Failure(entry.indexed_at, "Track", str(entry.track), url, entry.error_code, why)


def _of_job(job: Job) -> Failure:
    why = reason(job.error_code, job.error_detail)
    return Failure(job.ended_at, "Job", job.title, job.get_absolute_url(), job.error_code, why)
