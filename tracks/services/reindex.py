"""Has tracks heard again: chosen ones, those that failed, or all of a version; each time one job.

An INDEX job has no steps of its own. Its entries are claimed one by one like any others; it ends
once none of them waits.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, TextField, Value, When
from django.db.models.functions import Concat, Now

from tracks.models import IndexEntry, Job, ModelVersion
from tracks.selectors import live_versions
from tracks.services import index, jobs

State = IndexEntry.State


@transaction.atomic
def queue(chosen: QuerySet[IndexEntry], title: str, owner: User | None = None) -> Job | None:
    """INDEXED or FAILED -> PENDING for the chosen entries of live versions, as one job.

    What was heard before stays and answers until it is replaced; why it failed before is kept for
    the case that the job is cancelled.

    Returns:
        The job, or None when no chosen entry can be queued.
    """
    job = jobs.create(Job.Kind.INDEX, title, owner=owner)
    before = Concat("error_code", Value(": "), "error_detail", output_field=TextField())
    there = chosen.filter(track__withdrawn_at__isnull=True)
    queued = IndexEntry.objects.filter(
        pk__in=there.order_by().values("pk"),
        state__in=[State.INDEXED, State.FAILED],
        model_version__in=live_versions().order_by(),
    ).update(
        state=State.PENDING,
        error_code="",
        error_detail=Case(When(state=State.FAILED, then=before), default=F("error_detail")),
        losses=0,
        job=job,
    )
    if not queued:
        job.delete()
        return None
    job.options = {"entries": queued}
    job.save(update_fields=["options"])
    index.nudge_waiting()
    return job


def everything(version: ModelVersion, owner: User | None = None) -> Job | None:
    """Has the whole catalogue heard again by one version."""
    return queue(version.entries.all(), f"All tracks again in {version}", owner)


def failed(version: ModelVersion, code: str = "", owner: User | None = None) -> Job | None:
    """Tries again what failed in one version; with a code, only what failed for that reason."""
    entries = version.entries.filter(state=State.FAILED)
    if code:
        entries = entries.filter(error_code=code)
    why = f"failed as {code}" if code else "failed"
    return queue(entries, f"What {why} in {version}", owner)


def finish_done() -> int:
    """QUEUED or RUNNING -> FINISHED for the jobs that have no entry left to wait for."""
    pending = IndexEntry.objects.filter(job=OuterRef("pk"), state=State.PENDING)
    return Job.objects.filter(
        ~Exists(pending),
        kind=Job.Kind.INDEX,
        state__in=[Job.State.QUEUED, Job.State.RUNNING],
    ).update(state=Job.State.FINISHED, heartbeat_at=None, ended_at=Now())
