"""How much one person, and the site as a whole, may have at a time.

Whoever is refused is told by a code, and when to come back where waiting helps.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from matcher.errors import LoadError
from matcher.models import FilesOfDay, State, Upload
from matcher.selectors import Holding, holding_of

SOON = 30  # seconds; each job that ends frees a place


def check_job(owner: User) -> Holding:
    """What is kept of a person who may add a job.

    Raises:
        LoadError: queue-full or too-many-jobs.
    """
    if Upload.objects.filter(state=State.QUEUED).count() >= settings.QUEUE_MAX_JOBS:
        raise LoadError("queue-full", f"{settings.QUEUE_MAX_JOBS} jobs wait", SOON)
    held = holding_of(owner)
    if held.under_way >= settings.UPLOADS_AT_ONCE:
        raise LoadError("too-many-jobs", f"{held.under_way} are under way", SOON)
    return held


def check_file(owner: User, size: int = 0) -> None:
    """Look whether a person may send in a file of so many bytes.

    Raises:
        LoadError: queue-full, too-many-jobs, too-many-files or too-many-bytes.
    """
    held = check_job(owner)
    if _sent_today(owner) >= settings.UPLOADS_PER_DAY:
        raise LoadError("too-many-files", f"{settings.UPLOADS_PER_DAY} today", _until_midnight())
    if held.size + size > settings.UPLOADS_KEPT_BYTES:
        raise LoadError("too-many-bytes", f"{held.size} bytes and {size} more", None)


def lock(owner: User) -> None:
    """Until the transaction ends, nobody else counts or adds what this person has."""
    User.objects.select_for_update(no_key=True).filter(pk=owner.pk).first()


def count_file(owner: User) -> None:
    """Count one more file of today; it counts even when it is deleted. The owner is locked."""
    counted = {"day": timezone.localdate(), "files": _sent_today(owner) + 1}
    FilesOfDay.objects.update_or_create(owner=owner, defaults=counted)


def _sent_today(owner: User) -> int:
    today = FilesOfDay.objects.filter(owner=owner, day=timezone.localdate())
    return today.values_list("files", flat=True).first() or 0


def _until_midnight() -> int:
    """Seconds until the next day begins, by UTC like every time of the site."""
    now = timezone.localtime()
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
    return int((tomorrow - now).total_seconds()) + 1
