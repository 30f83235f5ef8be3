"""Files that no row points to, and sessions that are over."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from matcher.models import State, Upload
from soundsite import orphans, tasks
from tracks.models import ImportItem, Job

TWO_DAYS = 2 * 24 * 60 * 60


@pytest.fixture
def store(settings: Any, tmp_path: Path, db: None) -> Callable[..., str]:
    """Keeps a file that was stored two days ago, or so many seconds."""
    settings.MEDIA_ROOT = str(tmp_path / "media")

    def kept(name: str, age: float = TWO_DAYS) -> str:
        stored = default_storage.save(name, ContentFile(b"sound"))
        moment = time.time() - age
        os.utime(default_storage.path(stored), (moment, moment))
        return stored

    return kept


def test_a_file_without_a_row_goes_and_all_others_stay(
    store: Callable[..., str], owner: Any
) -> None:
    named = store("uploads/aa/named")
    Upload.objects.create(
        owner=owner, original_name="a", audio=named, size=5, sha256="0" * 64, state=State.QUEUED
    )
    job = Job.objects.create(kind=Job.Kind.IMPORT, title="An import")
    waits = store("imports/waits")
    ImportItem.objects.create(job=job, position=1, name="waits.mp3", stored=waits)
    young = store("uploads/bb/young", age=60)
    orphan = store("uploads/bb/orphan")
    told = StringIO()
    call_command("remove_orphans", "--dry-run", stdout=told)
    assert told.getvalue().split() == [orphan]
    tasks.remove_orphans()
    assert [name for name in (named, waits, young) if default_storage.exists(name)] == [
        *(named, waits, young)
    ]
    assert not default_storage.exists(orphan)


def test_a_store_that_was_never_used_has_no_orphans(store: Callable[..., str]) -> None:
    assert list(orphans.orphans()) == []
    tasks.remove_orphans()


def test_sessions_that_are_over_are_forgotten_with_their_addresses(
    client: Client, owner: Any
) -> None:
    client.force_login(owner)
    other = Client()
    other.force_login(owner)
    for one in (client, other):
        key = one.session.session_key
        UserSession.objects.create(user=owner, session_key=key, ip="192.0.2.1", user_agent="x")
    Session.objects.filter(pk=client.session.session_key).update(expire_date=timezone.now())
    tasks.forget_sessions()
    assert [one.session_key for one in UserSession.objects.all()] == [other.session.session_key]
