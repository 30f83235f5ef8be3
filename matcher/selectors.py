"""What pages, commands and the admin read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    Prefetch,
    Q,
    QuerySet,
    Sum,
)

from matcher.models import ENDED, Match, Upload
from tracks.models import ModelVersion
from tracks.selectors import Pictures

# Of an upload's model version the pages tell its name and its state.
BULKY_OF_VERSION = tuple(f"model_version__{name}" for name in ModelVersion.BULKY)


@dataclass(frozen=True)
class Holding:
    """What is kept of one person: uploads of any state, of them those that have not ended, those
    that are questions without a file, and the bytes of all files."""

    uploads: int
    under_way: int
    questions: int
    size: int


def holding_of(owner: User) -> Holding:
    counts = Upload.objects.filter(owner=owner).aggregate(
        uploads=Count("pk"),
        under_way=Count("pk", filter=~Q(state__in=ENDED)),
        questions=Count("pk", filter=Q(audio="")),
        size=Sum("size", default=0),
    )
    return Holding(**counts)


def uploads_of(owner: User | AnonymousUser, *, closest: int = 1) -> QuerySet[Upload]:
    """A person's uploads, newest first, each with so many of its closest matches in `ranked`."""
    matches = _shown(Match.objects.all())[:closest]
    return (
        Upload.objects.filter(owner_id=owner.pk)
        .order_by("-created_at")
        .defer(*Upload.BULKY, *(f"parent__{name}" for name in Upload.BULKY))
        .select_related("parent")
        .prefetch_related(Prefetch("matches", queryset=matches, to_attr="ranked"))
    )


def upload_of(owner: User | AnonymousUser, upload_id: UUID) -> Upload:
    """One upload of this person. Raises Upload.DoesNotExist for anybody else's."""
    uploads = Upload.objects.select_related("model_version")
    return uploads.defer(*Upload.BULKY, *BULKY_OF_VERSION).get(pk=upload_id, owner_id=owner.pk)


def own_pictures(upload: Upload) -> Pictures:
    """What the pages draw of an upload's own sound."""
    painted = ExpressionWrapper(Q(strip__isnull=False), BooleanField())
    row = Upload.objects.filter(pk=upload.pk).values_list("peaks", painted).get()
    return Pictures(*row)


def matches_of(upload: Upload) -> list[Match]:
    """The matches of a finished upload, closest first.

    Tracks that were deleted or withdrawn since are not among them.
    """
    return list(_shown(upload.matches.all()))


def _shown(matches: QuerySet[Match]) -> QuerySet[Match]:
    return matches.filter(track__withdrawn_at=None).select_related("track").order_by("rank")


def counts_of(upload: Upload) -> dict[str, int]:
    """How many of the upload's matches are `shown`, and `withdrawn` from the catalogue since."""
    gone = Q(track__withdrawn_at__isnull=False)
    return upload.matches.aggregate(
        shown=Count("pk", filter=~gone), withdrawn=Count("pk", filter=gone)
    )
