"""What the site does once a day."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from soundsite import orphans


@shared_task
def remove_orphans() -> None:
    """See `orphans`."""
    orphans.remove_orphans()


@shared_task
def forget_sessions() -> None:
    """Delete sessions that have expired, and the addresses from which they were begun."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    there = Session.objects.filter(pk=OuterRef("session_key"))
    UserSession.objects.exclude(Exists(there)).delete()
