"""How long uploads are kept: so many days after their answer, longer only while a link shows it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from matcher import services
from matcher.models import ENDED, Share, Upload

logger = logging.getLogger(__name__)

_AT_ONCE = 200


def kept_until(upload: Upload) -> datetime | None:
    """When an upload that has ended will be deleted, if no link shows it then."""
    if upload.finished_at is None:
        return None
    return upload.finished_at + timedelta(days=settings.UPLOADS_KEPT_DAYS)


def expired() -> QuerySet[Upload]:
    """Uploads whose time is over.

    Neither those under way, nor those that an open link shows, nor those about which a question
    was asked later: that one is answered from their sound.
    """
    over = Q(
        state__in=ENDED,
        finished_at__lt=timezone.now() - timedelta(days=settings.UPLOADS_KEPT_DAYS),
    )
    shown = Share.objects.filter(
        upload=OuterRef("pk"), revoked_at=None, expires_at__gt=timezone.now()
    )
    kept = Upload.objects.filter(~over | Exists(shown))
    questions = kept.filter(parent=OuterRef("pk"))
    return Upload.objects.filter(over).exclude(Exists(shown)).exclude(Exists(questions))


def delete_expired() -> int:
    """Deletes them with their answers and files, and returns how many there were."""
    deleted = 0
    while some := list(expired().values_list("pk", flat=True)[:_AT_ONCE]):
        deleted += services.delete_uploads(Upload.objects.filter(pk__in=some))
    if deleted:
        logger.info("deleted %d uploads whose time was over", deleted)
    return deleted
