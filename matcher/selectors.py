"""What pages, commands and the admin read."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Prefetch, QuerySet

from matcher.models import Match, State, Upload


def uploads_of(owner: User | AnonymousUser) -> QuerySet[Upload]:
    """A person's uploads, newest first, each with its closest match in `closest`."""
    closest = _shown(Match.objects.all())
    return (
        Upload.objects.filter(owner_id=owner.pk)
        .defer(*Upload.BULKY)
        .order_by("-created_at")
        .prefetch_related(Prefetch("matches", queryset=closest, to_attr="ranked"))
    )


def upload_of(owner: User | AnonymousUser, upload_id: UUID) -> Upload:
    """One upload of this person. Raises Upload.DoesNotExist for anybody else's."""
    return Upload.objects.defer(*Upload.BULKY).get(pk=upload_id, owner_id=owner.pk)


def matches_of(upload: Upload) -> list[Match]:
    """The matches of a finished upload, closest first.

    Tracks that were deleted or withdrawn since are not among them.
    """
    return list(_shown(upload.matches.all()))


def _shown(matches: QuerySet[Match]) -> QuerySet[Match]:
    return matches.filter(track__withdrawn_at=None).select_related("track").order_by("rank")


def withdrawn_of(upload: Upload) -> int:
    """How many of the upload's matches were withdrawn from the catalogue since."""
    return upload.matches.filter(track__withdrawn_at__isnull=False).count()


def waiting_before(upload: Upload) -> int:
    """How many uploads wait since before this one; with fair turns only an estimate."""
    waiting = Upload.objects.filter(state=State.QUEUED, queued_at__lt=upload.queued_at)
    return waiting.count() if upload.state == State.QUEUED else 0
