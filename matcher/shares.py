"""Links that show one answer to whoever holds them: made, listed, revoked, followed."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from matcher.models import Share, State, Upload

MOST = 10  # open links of one upload


def open_shares(upload: Upload) -> QuerySet[Share]:
    """The links that show an upload's answer now, the oldest first."""
    return upload.shares.filter(revoked_at=None, expires_at__gt=timezone.now())


def share(upload: Upload) -> Share | None:
    """A new link to an answered upload; None where there is no answer, or too many links."""
    with transaction.atomic():
        answered = Upload.objects.select_for_update(no_key=True).filter(
            pk=upload.pk, state=State.FINISHED
        )
        if not answered.exists() or open_shares(upload).count() >= MOST:
            return None
        return Share.objects.create(upload=upload)


def revoke(upload: Upload, share_id: int) -> bool:
    """End a link of the upload at once; False where it was not open any more."""
    return bool(open_shares(upload).filter(pk=share_id).update(revoked_at=timezone.now()))


def followed(token: str) -> Share:
    """The link of a token, with its upload, open or not. Raises Share.DoesNotExist."""
    about = ("upload__owner", "upload__model_version", "upload__parent")
    return Share.objects.select_related(*about).get(token=token)
