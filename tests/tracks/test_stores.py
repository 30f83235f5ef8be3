"""Media on a store that speaks S3: moto's server, asked by the real boto3 over HTTP."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from ml import artefact
from soundsite import orphans
from tests.stores import NOWHERE, Store
from tests.tracks.conftest import DIMENSIONS, song
from tests.tracks.import_steps import Item, State, done, send, states, work, zipped
from tracks import artefacts, indexing, stores, training
from tracks.media import local_path
from tracks.models import IndexEntry, Job, ModelVersion, Track
from tracks.outage import StoreAwayError
from tracks.services import jobs
from tracks.services.versions import archive, ask_for_training, install_model

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_the_store(s3: Store) -> None:
    """All of these."""


def test_a_file_is_read_in_parts_as_from_a_disk() -> None:
    content = bytes(range(256)) * 20_000  # some blocks of the reader, and not a whole number
    name = default_storage.save("some/where", ContentFile(content))
    with default_storage.open(name) as file:
        assert file.size == len(content)
        file.seek(-100, 2)
        assert file.read() == content[-100:]
        file.seek(3_000_000)
        assert file.read(10) == content[3_000_000:3_000_010]
        assert b"".join(file.chunks()) == content
        assert file.read() == b""
    assert default_storage.size(name) == len(content)
    assert default_storage.listdir("some") == ([], ["where"])


def test_what_is_not_there_is_missing_as_on_a_disk() -> None:
    for asked in (default_storage.open, default_storage.size, default_storage.get_modified_time):
        with pytest.raises(FileNotFoundError):
            asked("no/where")
    with pytest.raises(FileNotFoundError):
        default_storage.open("")
    assert not default_storage.exists("no/where")
    default_storage.delete("no/where")


def test_decoders_get_a_copy_with_its_ending_that_goes_afterwards(
    add: Callable[..., Track],
) -> None:
    with local_path(add(1).audio) as path:
        assert path.read_bytes() == song(1)
        assert path.suffix == ".flac"
    assert not path.exists()


def test_players_are_led_to_the_store_by_a_link_that_ends(
    client: Client, add: Callable[..., Track], s3: Store
) -> None:
    answer = client.get(f"/catalogue/{add(2, title='Däwn').pk}/audio/")
    assert answer.status_code == 302
    assert "no-store" in answer["Cache-Control"]
    link = answer["Location"]
    assert link.startswith(s3.url)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["3600"]
    request = urllib.request.Request(link, headers={"Range": "bytes=10-19"})
    with urllib.request.urlopen(request) as part:
        assert (part.status, part.read()) == (206, song(2)[10:20])
        assert part.headers["Content-Type"] == "audio/flac"
        assert part.headers["Content-Disposition"].startswith("inline; filename")
    with pytest.raises(urllib.error.HTTPError, match="403"):  # who has the name has not the file
        urllib.request.urlopen(link.partition("?")[0])


def test_links_name_the_store_as_browsers_reach_it(
    client: Client, add: Callable[..., Track], s3: Store, settings: Any
) -> None:
    track = add(3)
    settings.STORAGES = s3.storages(settings, public_endpoint="https://store.example")
    answer = client.get(f"/catalogue/{track.pk}/audio/")
    assert answer["Location"].startswith("https://store.example/media/tracks/")


def test_single_files_and_a_zip_are_imported_and_leave_nothing_else(
    administrator_client: Client, s3: Store
) -> None:
    files = {"one.flac": song(4)}
    job = done(send(administrator_client, zipped({"Kit/two.flac": song(5)}), files))
    assert job.state == State.FINISHED
    assert set(states(job).values()) == {(Item.CREATED, "")}
    assert sorted(s3.names()) == sorted(Track.objects.values_list("audio", flat=True))


def test_an_import_waits_for_a_store_that_is_away_and_refuses_no_file(
    administrator_client: Client, s3: Store, settings: Any
) -> None:
    from tracks.tasks import import_step

    job = work(send(administrator_client, files={"one.flac": song(6)}))
    assert jobs.go(job)
    settings.STORAGES = s3.storages(settings, endpoint_url=NOWHERE)
    import_step(job.pk)
    job.refresh_from_db()
    assert job.state == State.QUEUED
    settings.STORAGES = s3.storages(settings)
    assert work(job).state == State.FINISHED
    assert set(states(job).values()) == {(Item.CREATED, "")}


def test_a_track_that_cannot_be_fetched_waits_and_at_last_says_so(
    add: Callable[..., Track], version: ModelVersion, s3: Store, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(indexing.runtime, "load", lambda version: None)
    track = add(7)
    settings.STORAGES = s3.storages(settings, endpoint_url=NOWHERE)
    assert not indexing.index_next()
    entry = IndexEntry.objects.get(track=track)
    assert entry.state == IndexEntry.State.PENDING
    lost = {"heartbeat_at": None, "losses": settings.MAX_ATTEMPTS - 1}
    IndexEntry.objects.filter(pk=entry.pk).update(**lost)
    assert not indexing.index_next()
    entry.refresh_from_db()
    assert (entry.state, entry.error_code) == (IndexEntry.State.FAILED, "file-unreachable")


def test_another_host_fetches_an_artefact_once_and_a_damaged_copy_again(
    artefact_folder: Callable[..., Path], s3: Store, settings: Any, tmp_path: Path
) -> None:
    made = artefact_folder("travels", remark="weights")
    version, _ = install_model(made)
    settings.SOUNDSITE_DATA = tmp_path / "other host"
    shutil.rmtree(made)
    there = artefacts.folder_of(version)
    assert there.is_relative_to(settings.SOUNDSITE_DATA)
    settings.STORAGES = s3.storages(settings, endpoint_url=NOWHERE)
    assert artefacts.folder_of(version) == there  # the store is asked no more
    version.location = str(there)  # where it was trained, which has the same path on all hosts
    (there / artefact.MANIFEST).write_text("{}")
    with pytest.raises(StoreAwayError):
        artefacts.folder_of(version)
    settings.STORAGES = s3.storages(settings)
    assert artefact.digest(artefacts.folder_of(version)) == version.sha256


def test_a_finished_training_waits_for_a_store_that_is_away(
    s3: Store, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(job: Job, module: str, arguments: list[str], told: Any) -> None:
        made = Path(arguments[0])
        made.mkdir(parents=True, exist_ok=True)
        artefact.write_manifest(made, {"name": made.name, "embedding_dim": DIMENSIONS})

    monkeypatch.setattr(training.children, "follow", trained)
    settings.SOUNDSITE_DATA = tmp_path / "data"
    job = ask_for_training({"name": "mine", "config": "soundsite", "epochs": 1, "seed": 1})
    settings.STORAGES = s3.storages(settings, endpoint_url=NOWHERE)
    assert training.train_next()
    job.refresh_from_db()
    assert job.state == State.RUNNING  # silent, and so the sweep's
    assert training.children.work_folder(job.pk).exists()
    Job.objects.update(state=State.QUEUED, heartbeat_at=None)
    settings.STORAGES = s3.storages(settings)
    assert training.train_next()
    version = ModelVersion.objects.get()
    assert s3.names() == [f"artefacts/{version.sha256}/{artefact.MANIFEST}"]
    assert not training.children.work_folder(job.pk).exists()


def test_a_copy_that_was_tampered_with_in_the_store_is_not_used(
    artefact_folder: Callable[..., Path], settings: Any, tmp_path: Path
) -> None:
    made = artefact_folder("tampered")
    version, _ = install_model(made)
    settings.SOUNDSITE_DATA = tmp_path / "other host"
    shutil.rmtree(made)
    stored = f"artefacts/{version.sha256}/{artefact.MANIFEST}"
    default_storage.delete(stored)
    default_storage.save(stored, ContentFile(b'{"format": 1, "files": {}}'))
    assert not artefacts.folder_of(version).exists()


def test_an_archived_version_leaves_the_store_and_a_live_one_is_no_orphan(
    artefact_folder: Callable[..., Path],
    s3: Store,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(orphans, "GRACE", timedelta(days=-1))
    install_model(artefact_folder("answers"))
    second, _ = install_model(artefact_folder("second", remark="other"))
    orphan = default_storage.save("tracks/aa/orphan", ContentFile(b"sound"))
    assert list(orphans.orphans()) == [orphan]
    with django_capture_on_commit_callbacks(execute=True):
        archive(second)
    assert not [name for name in s3.names() if second.sha256 in name]
    assert list(orphans.orphans()) == [orphan]


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("NoSuchKey", 404, FileNotFoundError),
        ("404", 404, FileNotFoundError),
        ("NoSuchBucket", 404, StoreAwayError),
        ("SlowDown", 503, StoreAwayError),
        ("AccessDenied", 403, StoreAwayError),
    ],
)
def test_what_a_store_says_becomes_what_a_disk_would_say(
    code: str, status: int, expected: type[OSError]
) -> None:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert type(stores._os_error(ClientError(answer, "GetObject"), "name")) is expected


@pytest.mark.parametrize(("code", "status"), [("XMinioStorageFull", 507), ("QuotaExceeded", 403)])
def test_a_full_store_is_a_full_disk(code: str, status: int) -> None:
    import errno

    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert stores._os_error(ClientError(answer, "PutObject"), "name").errno == errno.ENOSPC
