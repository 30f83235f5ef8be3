"""The upload form: what it takes, what it refuses, and how it answers a script."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from matcher.models import State, Upload

FORM = "/uploads/new/"
BY_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}


def song(content: bytes = b"sound") -> SimpleUploadedFile:
    return SimpleUploadedFile("song.mp3", content, "audio/mpeg")


def test_the_page_states_the_limits_from_the_settings(owner_client: Client, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 50 * 1024 * 1024
    settings.UPLOAD_MIN_SECONDS, settings.UPLOAD_MAX_SECONDS = 7, 600
    page = owner_client.get(FORM).content.decode()
    assert "7 seconds to 10 minutes" in page
    assert "up to 50 MB" in page
    assert 'data-max-bytes="52428800"' in page


def test_a_plain_form_is_answered_by_a_redirect_to_the_result(
    owner_client: Client, owner: Any
) -> None:
    response = owner_client.post(FORM, {"audio": song()})
    upload = Upload.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/uploads/{upload.pk}/")
    assert (upload.owner, upload.state, upload.original_name) == (owner, State.QUEUED, "song.mp3")


def test_a_script_is_answered_with_the_address_of_the_result(owner_client: Client) -> None:
    response = owner_client.post(FORM, {"audio": song()}, headers=BY_SCRIPT)
    assert response.status_code == 201
    assert response.json() == {"url": f"/uploads/{Upload.objects.get().pk}/"}


@pytest.mark.parametrize(
    ("form", "code", "status"),
    [
        ({}, "missing", 400),
        ({"audio": b""}, "empty-file", 400),
        ({"audio": b"x" * 1001}, "too-large", 413),
    ],
    ids=["missing", "empty", "large"],
)
@pytest.mark.parametrize("by_script", [False, True], ids=["form", "script"])
def test_a_file_outside_the_limits_is_refused_with_its_code(
    owner_client: Client,
    settings: Any,
    form: dict[str, bytes],
    code: str,
    status: int,
    by_script: bool,
) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    files = {name: song(content) for name, content in form.items()}
    response = owner_client.post(FORM, files, headers=BY_SCRIPT if by_script else {})
    assert response.status_code == status
    if by_script:
        assert response.json()["error"] == code
    else:
        assert f'data-error="{code}"' in response.content.decode()
    assert not Upload.objects.exists()


def test_a_body_longer_than_any_allowed_file_is_refused_without_being_parsed(
    owner_client: Client, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    settings.FILE_UPLOAD_HANDLERS = ["nothing.that.exists"]  # parsing would fail on it
    response = owner_client.post(FORM, {"audio": song(b"x" * 200_000)})
    assert response.status_code == 413
    assert 'data-error="too-large"' in response.content.decode()


def test_the_form_is_protected_against_other_sites(owner: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(FORM, {"audio": song()}).status_code == 403
    assert not Upload.objects.exists()


def test_a_broker_that_is_down_is_no_reason_to_refuse_a_file(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from celery import current_app

    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        response = owner_client.post(FORM, {"audio": song()})
    assert response.status_code == 302
    assert len(callbacks) == 1
    assert Upload.objects.get().state == State.QUEUED


class FullDisk(FileSystemStorage):
    """Has room for the first half of a file."""

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True)
        path.write_bytes(next(content.chunks())[::2])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("by_script", [False, True], ids=["form", "script"])
def test_a_full_disk_refuses_a_file_with_its_code_and_keeps_nothing_of_it(
    owner_client: Client, settings: Any, by_script: bool
) -> None:
    store = {"BACKEND": f"{__name__}.FullDisk"}
    settings.STORAGES = {**settings.STORAGES, "default": store}
    headers = BY_SCRIPT if by_script else {}
    response = owner_client.post(FORM, {"audio": song()}, headers=headers)
    assert (response.status_code, response["Retry-After"]) == (503, "300")
    assert "storage-full" in response.content.decode()
    assert not Upload.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
