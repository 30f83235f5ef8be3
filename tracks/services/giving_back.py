"""What becomes of the entries that a cancelled re-index had queued: they are as before."""

from __future__ import annotations

from django.db.models import F, Func, QuerySet, Value
from django.db.models.functions import StrIndex, Substr

from tracks.models import IndexEntry, Job

State = IndexEntry.State


def give_back(job: Job) -> None:
    """PENDING -> INDEXED where a vector is left, FAILED where it had failed; the new ones wait on.

    An entry that a worker has in hand is heard to its end. The caller has ended the job, in the
    same transaction.
    """
    waiting = IndexEntry.objects.filter(job=job, state=State.PENDING, heartbeat_at=None)
    had = {"state": State.INDEXED, "losses": 0, "job": None}
    given_back = waiting.filter(embedding__isnull=False).update(**had)
    given_back += _fail_again(waiting.exclude(error_detail=""))
    given_back += waiting.update(job=None)
    job.progress = {**job.progress, "given_back": given_back}
    job.save(update_fields=["progress"])


def _fail_again(waiting: QuerySet[IndexEntry]) -> int:
    """With the reason that `tracks.services.reindex` has kept as `code: detail`."""
    code = Func(F("error_detail"), Value(": "), Value(1), function="split_part")
    detail = Substr("error_detail", StrIndex("error_detail", Value(": ")) + 2)
    had = {"state": State.FAILED, "error_code": code, "error_detail": detail}
    return waiting.update(**had, losses=0, job=None)
