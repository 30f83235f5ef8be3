"""How many jobs come before a waiting one, and how long it is likely to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from matcher.jobs import LATELY
from matcher.models import RUNNING, State, Upload

_RECENT = timedelta(days=1)  # older jobs tell nothing of today's

# The order of `jobs.claim`, foretold: owners take turns in the order in which they were served
# last, and each turn takes the owner's oldest. Who had no turn lately comes first, by queued_at.
_PLACE = """
    WITH served AS (
        SELECT owner_id, max(started_at) AS last FROM matcher_upload
        WHERE started_at >= %(lately)s GROUP BY owner_id
    ), waiting AS (
        SELECT id, last, row_number() OVER mine AS turn,
            first_value(queued_at) OVER mine AS since, first_value(id) OVER mine AS head
        FROM matcher_upload LEFT JOIN served USING (owner_id)
        WHERE state = %(queued)s
        WINDOW mine AS (PARTITION BY owner_id ORDER BY queued_at, id)
    ), places AS (
        SELECT id, rank() OVER (ORDER BY turn, last NULLS FIRST, since, head) - 1 AS before
        FROM waiting
    ), ended AS (
        SELECT started_at, finished_at FROM matcher_upload
        WHERE started_at >= %(recently)s AND finished_at IS NOT NULL
        ORDER BY started_at DESC LIMIT 50
    )
    SELECT mine.state, mine.queued_at, before,
        (SELECT count(*) FROM matcher_upload
            WHERE state = ANY(%(running)s) AND heartbeat_at >= %(alive)s),
        (SELECT coalesce(max(finished_at) >= %(alive)s, false) FROM ended),
        (SELECT avg(extract(epoch FROM finished_at - started_at)) FROM ended)
    FROM matcher_upload AS mine LEFT JOIN places USING (id)
    WHERE mine.id = %(id)s AND mine.owner_id = %(owner)s
"""


@dataclass(frozen=True)
class Place:
    """Of a waiting job.

    Attributes:
        before: jobs that are claimed before it, if nobody comes in between.
        seconds: until it is answered, from how long the last jobs took and how many run side by
            side; None where no job ended lately or no worker is at work.
    """

    before: int
    seconds: float | None = None

    @property
    def roughly(self) -> int:
        """`before`, rounded so that a page need not change with every job."""
        step = 1 if self.before <= 10 else 10 if self.before <= 50 else 50
        return round(self.before / step) * step

    @property
    def minutes(self) -> int | None:
        """`seconds` in minutes, rounded in the same way; 0 for less than one."""
        if self.seconds is None:
            return None
        minutes = 0 if self.seconds < 45 else max(1, round(self.seconds / 60))
        step = 1 if minutes <= 5 else 5 if minutes < 60 else 60
        return round(minutes / step) * step

    @property
    def words(self) -> str:
        """How long it takes, for a sentence; empty where nothing is known."""
        if self.minutes is None:
            return ""
        if self.minutes == 0:
            return gettext("less than a minute")
        if self.minutes < 60:
            return ngettext("about %d minute", "about %d minutes", self.minutes) % self.minutes
        hours = self.minutes // 60
        return ngettext("about %d hour", "about %d hours", hours) % hours


def place_of(upload: Upload) -> Place | None:
    """Where an upload stands in the queue; None for one that does not wait."""
    if upload.state != State.QUEUED:
        return None
    row = _asked(upload.owner_id, upload.pk)
    return _place(*row[2:]) if row else None


def follow(owner: User | AnonymousUser, upload_id: UUID) -> tuple[Upload, Place | None]:
    """One upload of this person and its place, by one query, for those who ask again and again.

    The upload has its `state` and `queued_at` and nothing else. Raises Upload.DoesNotExist for
    anybody else's.
    """
    row = _asked(owner.pk, upload_id)
    if row is None:
        raise Upload.DoesNotExist
    return Upload(pk=upload_id, state=row[0], queued_at=row[1]), _place(*row[2:])


def _asked(owner_id: int | None, upload_id: UUID) -> tuple[Any, ...] | None:
    now = timezone.now()
    values: dict[str, Any] = {
        "id": upload_id,
        "owner": owner_id,
        "queued": State.QUEUED,
        "running": list(RUNNING),
        "lately": now - LATELY,
        "recently": now - _RECENT,
        "alive": now - timedelta(seconds=settings.HEARTBEAT_TIMEOUT_SECONDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, values)
        return cursor.fetchone()


def _place(before: int | None, *known: Any) -> Place | None:
    return None if before is None else Place(before, _seconds(before, *known))


def _seconds(before: int, running: int, just_ended: bool, each: Decimal | None) -> float | None:
    """Between one job and the next a worker is at work, too."""
    side_by_side = running or int(just_ended)
    if each is None or not side_by_side:
        return None
    return float(each) * ((before + 1) / side_by_side + 1)
