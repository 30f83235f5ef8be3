"""Keeping, queueing again and deleting uploads, and the nudges that go with it."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import IntegrityError, transaction

from matcher import nudges, services
from matcher.errors import UploadError
from matcher.models import State, Upload
from tests.matcher.conftest import Upper


def kept_files(settings: Any) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.fixture
def broken_broker(settings: Any) -> Iterator[Callable[[str], None]]:
    """Points this process at another broker for the length of a test."""
    before = current_app.conf.broker_url

    def use(url: str) -> None:
        current_app.conf.broker_url = current_app.conf.broker_write_url = url

    yield use
    current_app.conf.broker_url = current_app.conf.broker_write_url = before


def test_an_upload_is_kept_under_a_random_name_with_its_length_and_digest(owner: Any) -> None:
    upload = services.create_upload(owner, SimpleUploadedFile("My song.mp3", b"x" * 1000))
    assert upload.state == State.QUEUED
    assert (upload.size, upload.original_name) == (1000, "My song.mp3")
    assert upload.sha256 == hashlib.sha256(b"x" * 1000).hexdigest()
    with upload.audio.open("rb") as kept:
        assert kept.read() == b"x" * 1000
    assert "song" not in upload.audio.name


def test_a_large_upload_that_lies_on_disk_is_kept_the_same_way(owner: Any) -> None:
    file = TemporaryUploadedFile("big.wav", "audio/wav", 300_000, None)
    file.write(b"y" * 300_000)
    file.seek(0)
    upload = services.create_upload(owner, file)
    assert upload.size == 300_000
    assert upload.sha256 == hashlib.sha256(b"y" * 300_000).hexdigest()


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty-file"), (b"x" * 1001, "too-large")], ids=["empty", "large"]
)
def test_a_file_outside_the_limits_leaves_neither_row_nor_file(
    owner: Any, settings: Any, content: bytes, code: str
) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    with pytest.raises(UploadError) as refusal:
        services.create_upload(owner, SimpleUploadedFile("song.mp3", content))
    assert refusal.value.code == code
    assert not Upload.objects.exists()
    assert kept_files(settings) == []


@pytest.mark.django_db(transaction=True)
def test_a_row_that_cannot_be_written_leaves_no_file(owner: Any, settings: Any) -> None:
    get_user_model().objects.all().delete()
    with pytest.raises(IntegrityError):
        services.create_upload(owner, ContentFile(b"x", name="song.mp3"))
    assert kept_files(settings) == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\music\\song.mp3", "song.mp3"),
        ("../../etc/passwd", "passwd"),
        ("a\x00b\u202ec.mp3", "abc.mp3"),
        ("東方の夜.ogg", "東方の夜.ogg"),
        ("", "untitled"),
        (None, "untitled"),
        ("x" * 400, "x" * 255),
    ],
)
def test_a_name_is_shown_without_folders_and_control_characters(
    given: str | None, shown: str
) -> None:
    assert services.shown_name(given) == shown


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_nudged_once_the_upload_is_committed(
    owner: Any, messages: Callable[[], int]
) -> None:
    with transaction.atomic():
        services.create_upload(owner, ContentFile(b"x", name="song.mp3"))
        assert messages() == 0
    assert messages() == 1


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_accepted_at_once_while_the_broker_is_down(
    owner: Any, broken_broker: Callable[[str], None]
) -> None:
    broken_broker("redis://127.0.0.1:1/0")
    start = time.monotonic()
    upload = services.create_upload(owner, ContentFile(b"x", name="song.mp3"))
    assert time.monotonic() - start < 3
    assert Upload.objects.get(pk=upload.pk).state == State.QUEUED


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_accepted_soon_while_the_broker_says_nothing(
    owner: Any, broken_broker: Callable[[str], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broken_broker(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        start = time.monotonic()
        services.create_upload(owner, ContentFile(b"x", name="song.mp3"))
        assert time.monotonic() - start < 5
    assert Upload.objects.count() == 1


def test_the_sweep_nudges_only_for_what_has_no_message(
    upload: Upper, messages: Callable[[], int]
) -> None:
    for _ in range(3):
        upload()
    assert nudges.send(Upload.objects.first().pk)
    assert nudges.send_missing() == 2
    assert nudges.send_missing() == 0
    assert messages() == 3


def test_the_sweep_sends_nothing_when_nothing_waits(
    upload: Upper, messages: Callable[[], int]
) -> None:
    upload(State.FINISHED)
    upload(State.ENCODING)
    assert nudges.send_missing() == 0
    assert messages() == 0


@pytest.mark.django_db(transaction=True)
def test_queueing_again_nudges_a_worker(upload: Upper, messages: Callable[[], int]) -> None:
    assert services.queue_again(upload(State.FAILED))
    assert messages() == 1


@pytest.mark.django_db(transaction=True)
def test_deleting_removes_the_row_its_matches_and_the_file(answered: Upload, settings: Any) -> None:
    path = Path(answered.audio.path)
    assert path.exists()
    services.delete_upload(answered)
    assert not Upload.objects.exists()
    assert not path.exists()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_rolled_back_keeps_the_file(upload: Upper) -> None:
    kept = upload()
    path = Path(kept.audio.path)
    with transaction.atomic():
        services.delete_upload(kept)
        transaction.set_rollback(True)
    assert path.exists()
    assert Upload.objects.exists()
