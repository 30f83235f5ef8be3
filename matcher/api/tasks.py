"""What the API does not need to remember any longer."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from matcher.api import idempotency
from matcher.api.models import KeptAnswer, Rate

IDLE = timedelta(hours=1)  # far more than a full bucket needs to run empty


@shared_task
def forget() -> None:
    """Delete kept answers after their day, and buckets that nobody has used for long."""
    now = timezone.now()
    KeptAnswer.objects.filter(created_at__lt=now - idempotency.KEPT).delete()
    Rate.objects.filter(spent_at__lt=now - IDLE).delete()
