"""What the API does not need to remember any longer."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import connection
from django.utils import timezone

from matcher.api import idempotency
from matcher.api.models import KeptAnswer, Rate

IDLE = timedelta(hours=1)  # far more than a full bucket needs to run empty


@shared_task
def forget() -> None:
    """Delete kept answers after their day, buckets that nobody has used for long, and counts of
    tries that are over: a cache in the database forgets only what is asked for again."""
    now = timezone.now()
    KeptAnswer.objects.filter(created_at__lt=now - idempotency.KEPT).delete()
    Rate.objects.filter(spent_at__lt=now - IDLE).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {settings.CACHES['default']['LOCATION']} WHERE expires < now()"
        )
