"""Every state write of a long job: claimed by compare-and-set, fenced by attempt.

    QUEUED -> RUNNING -> QUEUED (a step is done) ... -> FINISHED | FAILED
    RUNNING -> PLANNED -> QUEUED (an import waits for its owner's word)
    QUEUED | RUNNING -> PAUSED -> QUEUED, and from wherever it has not ended -> CANCELLED

A worker whose write touches no row has lost the job, or was told to stop: it stops quietly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now

from tracks import nudge
from tracks.models import Job
from tracks.services.giving_back import give_back

Kind, State = Job.Kind, Job.State

# Whose next step a message asks for. An INDEX job has no steps of its own: its entries are claimed
# one by one, and `tracks.services.reindex` ends it.
TASKS = {
    Kind.IMPORT: "tracks.tasks.import_step",
    Kind.TRAIN: "tracks.tasks.train_version",
    Kind.EVALUATE: "tracks.tasks.evaluate_version",
}


def create(
    kind: Job.Kind,
    title: str,
    *,
    owner: User | None = None,
    options: Mapping[str, Any] | None = None,
) -> Job:
    """A QUEUED job; a worker is nudged on commit."""
    job = Job.objects.create(kind=kind, title=title, owner=owner, options=dict(options or {}))
    _nudge(job)
    return job


def begin(kind: Job.Kind, title: str, options: Mapping[str, Any]) -> Job:
    """A job that the caller works on at once; should the caller die, the sweep queues it."""
    return Job.objects.create(
        kind=kind,
        title=title,
        options=dict(options),
        state=State.RUNNING,
        attempt=1,
        heartbeat_at=Now(),
        started_at=Now(),
    )


def claim(kind: Job.Kind) -> Job | None:
    """Takes the oldest waiting job of a kind for the caller, who must let it beat and end it."""
    with transaction.atomic():
        waiting = Job.objects.filter(kind=kind, state=State.QUEUED).order_by("pk")
        job = waiting.select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        Job.objects.filter(pk=job.pk).update(
            state=State.RUNNING,
            attempt=job.attempt + 1,
            heartbeat_at=Now(),
            started_at=Coalesce("started_at", Now()),
        )
    job.refresh_from_db()
    return job


def _mine(job: Job) -> QuerySet[Job]:
    """The job's row as long as the caller's claim holds."""
    return Job.objects.filter(pk=job.pk, attempt=job.attempt, state=State.RUNNING)


def beat(job: Job) -> bool:
    """Says that the claim is alive; False when it is no longer the caller's."""
    return _mine(job).update(heartbeat_at=Now()) == 1


def tell(job: Job, progress: Mapping[str, Any]) -> bool:
    """Keeps how far it has come, which is also a heartbeat; False when it is not the caller's."""
    told = _mine(job).update(progress=dict(progress), heartbeat_at=Now(), losses=0)
    if told:
        job.progress = dict(progress)
    return told == 1


def step_done(job: Job) -> bool:
    """RUNNING -> QUEUED: the next step may be another worker's."""
    return _leave(job, State.QUEUED, losses=0) and _nudged(job)


def planned(job: Job) -> bool:
    """RUNNING -> PLANNED: what would happen is known, and nothing happens before `go`."""
    return _leave(job, State.PLANNED, losses=0)


def finish(job: Job) -> bool:
    """RUNNING -> FINISHED."""
    return _leave(job, State.FINISHED, ended_at=Now())


def fail(job: Job, code: str, detail: str = "") -> bool:
    """RUNNING -> FAILED with a stable code and a detail for the administrator."""
    return _leave(job, State.FAILED, error_code=code, error_detail=detail, ended_at=Now())


def _leave(job: Job, state: Job.State, **changes: Any) -> bool:
    return _mine(job).update(state=state, heartbeat_at=None, **changes) == 1


def go(job: Job) -> bool:
    """PLANNED -> QUEUED: its owner has seen the plan and wants it done."""
    options = {**job.options, "go": True}
    return _move(job, [State.PLANNED], State.QUEUED, options=options) and _nudged(job)


def pause(job: Job) -> bool:
    """Whoever works on it stops after the file in hand."""
    return _move(job, [State.QUEUED, State.RUNNING], State.PAUSED, heartbeat_at=None)


def resume(job: Job) -> bool:
    """PAUSED -> QUEUED."""
    return _move(job, [State.PAUSED], State.QUEUED) and _nudged(job)


def cancel(job: Job) -> bool:
    """Ends it where it stands; what it has done stays done."""
    open_states = [State.QUEUED, State.RUNNING, State.PLANNED, State.PAUSED]
    with transaction.atomic():
        done = _move(job, open_states, State.CANCELLED, heartbeat_at=None, ended_at=Now())
        if done and job.kind == Kind.INDEX:
            give_back(job)
    return done


def _move(job: Job, origins: Sequence[Job.State], target: Job.State, **changes: Any) -> bool:
    moved = Job.objects.filter(pk=job.pk, state__in=origins).update(state=target, **changes) == 1
    job.refresh_from_db()
    return moved


def sweep() -> None:
    """Takes jobs from workers that fell silent, and nudges for all that wait."""
    too_old = Now() - timedelta(seconds=settings.HEARTBEAT_TIMEOUT_SECONDS)
    for job in Job.objects.filter(state=State.RUNNING, heartbeat_at__lt=too_old):
        _give_up(job)
    for job in Job.objects.filter(state=State.QUEUED, kind__in=TASKS):
        _nudge(job)


def release_all() -> int:
    """Every running job waits again, with no loss counted; for when no worker can be left."""
    running = Job.objects.filter(state=State.RUNNING)
    return running.update(state=State.QUEUED, heartbeat_at=None)


def _give_up(job: Job) -> None:
    """Back to the queue, or FAILED after so many losses in a row without progress."""
    silent = _mine(job).filter(heartbeat_at=job.heartbeat_at)
    if job.losses + 1 < settings.MAX_ATTEMPTS:
        silent.update(state=State.QUEUED, heartbeat_at=None, losses=F("losses") + 1)
        return
    silent.update(
        state=State.FAILED,
        error_code="worker-lost",
        error_detail=f"{job.losses + 1} workers fell silent on this job.",
        heartbeat_at=None,
        ended_at=Now(),
    )


def _nudge(job: Job) -> None:
    if job.kind in TASKS:
        nudge.after_commit(TASKS[Job.Kind(job.kind)], job.pk)


def _nudged(job: Job) -> bool:
    _nudge(job)
    return True
