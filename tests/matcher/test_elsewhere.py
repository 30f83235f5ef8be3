"""Uploads whose files lie on a store that speaks S3, and what happens while it is away."""

from __future__ import annotations

import io
import urllib.request
from typing import Any
from zipfile import ZipFile

import pytest
from django.test import Client

from matcher import jobs, takeout, tasks
from matcher.models import State, Upload
from tests.matcher.sounds import tone
from tests.matcher.test_taking import BY_SCRIPT, FORM, song
from tests.stores import NOWHERE, Store


@pytest.fixture
def upload(owner_client: Client, s3: Store) -> Upload:
    """Sent by its owner's browser."""
    assert owner_client.post(FORM, {"audio": song(tone(6))}).status_code == 302
    return Upload.objects.get()


def test_a_file_is_counted_and_hashed_on_its_way_to_the_store(upload: Upload, s3: Store) -> None:
    assert s3.names() == [str(upload.audio)]
    assert upload.size == len(tone(6))
    stored = s3.client.get_object(Bucket="media", Key=str(upload.audio))["Body"].read()
    assert stored == tone(6)


def test_a_file_that_is_too_large_leaves_nothing_there(
    owner_client: Client, s3: Store, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    assert owner_client.post(FORM, {"audio": song(b"x" * 1001)}).status_code == 413
    assert s3.names() == []


def test_its_owner_gets_a_link_to_the_sound_and_a_stranger_gets_none(
    upload: Upload, owner_client: Client, stranger_client: Client
) -> None:
    address = f"/uploads/{upload.pk}/audio/"
    assert stranger_client.get(address).status_code == 404
    answer = owner_client.get(address)
    assert answer.status_code == 302
    with urllib.request.urlopen(answer["Location"]) as sound:
        assert sound.read() == tone(6)
        assert sound.headers["Content-Type"] == "audio/wav"


def test_its_owner_takes_it_away_and_deletes_it(
    upload: Upload,
    owner_client: Client,
    s3: Store,
    django_capture_on_commit_callbacks: Any,
) -> None:
    taken = b"".join(takeout.archive(upload.owner))
    with ZipFile(io.BytesIO(taken)) as packed:
        assert packed.read("audio/song.mp3") == tone(6)
    with django_capture_on_commit_callbacks(execute=True):
        owner_client.post(f"/uploads/{upload.pk}/delete/")
    assert s3.names() == []


@pytest.mark.parametrize("by_script", [False, True], ids=["form", "script"])
def test_a_store_that_is_away_refuses_a_file_with_its_code_and_keeps_no_row(
    owner_client: Client, s3: Store, settings: Any, by_script: bool
) -> None:
    settings.STORAGES = s3.storages(settings, endpoint_url=NOWHERE)
    headers = BY_SCRIPT if by_script else {}
    answer = owner_client.post(FORM, {"audio": song()}, headers=headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "15")
    assert "storage-away" in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_page_that_needs_the_store_says_that_it_is_away(
    upload: Upload, owner_client: Client, s3: Store, settings: Any
) -> None:
    settings.STORAGES = s3.storages(settings, endpoint_url=NOWHERE)
    owner_client.raise_request_exception = False
    answer = owner_client.get(f"/uploads/{upload.pk}/audio/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "15")
    assert "Our store for files is away for a moment" in answer.content.decode()


def test_a_job_whose_file_cannot_be_fetched_is_left_to_the_sweep_and_at_last_says_so(
    upload: Upload, s3: Store, settings: Any
) -> None:
    settings.STORAGES = s3.storages(settings, endpoint_url=NOWHERE)
    for left in range(settings.MAX_ATTEMPTS - 1, -1, -1):
        claimed = jobs.claim()
        assert claimed is not None
        tasks.run(claimed)
        upload.refresh_from_db()
        assert upload.attempts_left == left
        if left:
            assert upload.state == State.DECODING
            Upload.objects.update(state=State.QUEUED, heartbeat_at=None)
    assert (upload.state, upload.error_code) == (State.FAILED, "file-unreachable")
    assert s3.names() == [str(upload.audio)]
