"""A site with music, people and answers; its backup; and the same site again from that file."""

from __future__ import annotations

import io
import json
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from matcher.models import Match, State, Upload
from ml import artefact
from ml.pretrained import DEFAULT
from soundsite.backup import archive as archives
from soundsite.backup import database
from tests.soundsite.backup.conftest import Asked, lose_everything, restored, rows, stored
from tests.tracks.conftest import song
from tracks.indexing import index_next
from tracks.models import ImportItem, IndexEntry, Job, ModelVersion, Track
from tracks.selectors import active_version, artefact_folder
from tracks.services.catalogue import Texts, add_track
from tracks.services.versions import install_model

# A snapshot begins with its transaction, and heartbeats have connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_restored_site_has_the_same_rows_and_files_and_gives_the_same_answer(
    site: ModelVersion, asked: Asked, data: Path, backup: Callable[..., Path]
) -> None:
    before = rows(), stored(data), asked.answer()
    file = backup()
    lose_everything(data)
    told = restored(file)
    assert (told["tracks"], told["uploads"], told["users"], told["files"]) == (4, 1, 1, 5)
    assert told["missing"] == []
    after = rows(), stored(data), asked.answer()
    assert after == before
    assert len(before[2]) == 4


def test_restored_people_sign_in_and_new_rows_get_new_numbers(
    site: ModelVersion, owner: Any, data: Path, backup: Callable[..., Path]
) -> None:
    last = Track.objects.latest("pk").pk
    file = backup()
    lose_everything(data)
    restored(file)
    assert get_user_model().objects.get(username="olivia").check_password("owners-pass-1")
    added, new = add_track(ContentFile(song(9)), Texts("New"))
    assert new
    assert added.pk > last
    assert index_next()


def test_the_approximate_index_of_a_version_comes_back_with_its_number(
    site: ModelVersion, data: Path, backup: Callable[..., Path]
) -> None:
    ModelVersion.objects.create(pk=site.pk + 7, name="later", embedding_dim=3, manifest={})
    file = backup()
    lose_everything(data)
    restored(file)
    with connection.cursor() as cursor:
        assert database.search_indices(cursor) == {f"tracks_hnsw_{site.pk}"}


def test_what_a_worker_had_in_hand_waits_again(
    site: ModelVersion, owner: Any, data: Path, backup: Callable[..., Path]
) -> None:
    now = timezone.now()
    running = {"heartbeat_at": now, "started_at": now, "attempt": 3, "attempts_left": 0}
    Upload.objects.update(state=State.ENCODING, finished_at=None, **running)
    job = Job.objects.create(kind="TRAIN", state="RUNNING", heartbeat_at=now, title="Long")
    entry = IndexEntry.objects.latest("pk")
    IndexEntry.objects.filter(pk=entry.pk).update(state="PENDING", heartbeat_at=now)
    file = backup()
    lose_everything(data)
    restored(file)
    upload = Upload.objects.get()
    assert (upload.state, upload.attempt, upload.attempts_left) == (State.QUEUED, 3, 1)
    job.refresh_from_db()
    assert (job.state, job.losses, job.heartbeat_at) == ("QUEUED", 0, None)
    entry.refresh_from_db()
    assert (entry.state, entry.losses, entry.heartbeat_at) == ("PENDING", 0, None)


def test_a_version_of_ones_own_comes_back_below_the_new_data_folder(
    db: None, tmp_path: Path, data: Path, backup: Callable[..., Path]
) -> None:
    folder = tmp_path / "elsewhere" / "ours"
    shutil.copytree(DEFAULT, folder)
    manifest = {**artefact.read_manifest(DEFAULT), "name": "ours"}
    artefact.write_manifest(folder, manifest)
    (folder / "notes").write_text("not of the artefact")
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "notes"}
    install_model(folder)
    file = backup()
    shutil.rmtree(folder)
    lose_everything(data)
    restored(file)
    version = active_version()
    assert version is not None
    placed = artefact_folder(version)
    assert placed == data / "artefacts" / "ours"
    assert {path.name: path.read_bytes() for path in placed.iterdir()} == contents
    artefact.verify(placed, sha256=version.sha256)


def test_files_that_an_import_still_needs_are_in_the_backup(
    db: None, data: Path, backup: Callable[..., Path]
) -> None:
    for state, ended in (("QUEUED", None), ("FINISHED", timezone.now())):
        job = Job.objects.create(kind="IMPORT", title=state, state=state, ended_at=ended)
        name = default_storage.save(f"staged/{state}", ContentFile(b"music"))
        ImportItem.objects.create(job=job, position=1, name="a.mp3", stored=name)
    with archives.opened(backup()) as archive:
        assert archive.names("media") == ["media/staged/QUEUED"]


def test_a_file_that_vanished_since_is_told_and_the_rest_is_kept(
    site: ModelVersion, data: Path, tmp_path: Path
) -> None:
    gone = str(Upload.objects.get().audio.name)
    default_storage.delete(gone)
    out, err = io.StringIO(), io.StringIO()
    call_command("backup", str(tmp_path / "site.tar"), "--json", stdout=out, stderr=err)
    assert json.loads(out.getvalue())["missing"] == [gone]
    assert f"file-missing: {gone}" in err.getvalue()
    lose_everything(data)
    assert restored(tmp_path / "site.tar")["missing"] == [gone]
    assert len(stored(data)) == 4
    assert Match.objects.count() == 4


def test_the_rows_are_of_one_moment(site: ModelVersion, backup: Callable[..., Path]) -> None:
    with database.snapshot():
        before = Track.objects.count()
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("DELETE FROM matcher_match")
            cursor.execute("DELETE FROM tracks_indexentry")
            cursor.execute("DELETE FROM tracks_track")
        other.close()
        assert Track.objects.count() == before == 4
    assert Track.objects.count() == 0


def test_every_table_but_that_of_the_sessions_is_kept(db: None) -> None:
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert there - set(database.tables()) == {
        *("django_session", "usersessions_usersession", "soundsite_cache", "django_migrations"),
    }
    assert known <= there


def test_only_its_owner_may_read_a_backup(db: None, backup: Callable[..., Path]) -> None:
    file = backup()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.glob("site.tar*")] == ["site.tar"]


def test_a_file_that_exists_is_replaced_only_by_force(
    db: None, tmp_path: Path, backup: Callable[..., Path]
) -> None:
    (tmp_path / "site.tar").write_text("precious")
    with pytest.raises(CommandError, match=r"^backup-exists: "):
        backup()
    assert (tmp_path / "site.tar").read_text() == "precious"
    assert tarfile.is_tarfile(backup(force=True))


def test_a_folder_that_is_not_there_is_told(db: None, backup: Callable[..., Path]) -> None:
    with pytest.raises(CommandError, match=r"^backup-write: "):
        backup("nowhere/site.tar")


def refusal(file: Path) -> str:
    """The code that the restore is refused with, which has written nothing."""
    before = rows()
    with pytest.raises(CommandError) as refused:
        restored(file)
    assert rows() == before
    return str(refused.value).partition(":")[0]


def test_an_installation_in_use_is_left_as_it_is(
    site: ModelVersion, data: Path, backup: Callable[..., Path]
) -> None:
    file, files = backup(), stored(data)
    assert refusal(file) == "backup-not-empty"
    assert stored(data) == files


def test_one_account_is_enough_to_be_in_use(
    db: None, data: Path, backup: Callable[..., Path], django_user_model: Any
) -> None:
    file = backup()
    django_user_model.objects.create_user("olivia")
    assert refusal(file) == "backup-not-empty"


@pytest.mark.parametrize("where", [0.02, 0.3, 0.6, 0.97])
def test_a_damaged_backup_is_refused_and_nothing_is_written(
    where: float, site: ModelVersion, data: Path, backup: Callable[..., Path]
) -> None:
    file = backup()
    contents = bytearray(file.read_bytes())
    at = int(where * len(contents))
    contents[at : at + 600] = bytes(byte ^ 255 for byte in contents[at : at + 600])
    file.write_bytes(contents)
    lose_everything(data)
    assert refusal(file) == "backup-damaged"
    assert stored(data) == {}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_backup_that_was_cut_off_is_refused(
    share: float, site: ModelVersion, data: Path, backup: Callable[..., Path]
) -> None:
    file = backup()
    contents = file.read_bytes()
    file.write_bytes(contents[: int(share * len(contents))])
    lose_everything(data)
    assert refusal(file) == "backup-damaged"


def test_what_is_no_backup_is_refused(db: None, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("only words" * 1000)
    assert refusal(tmp_path / "words") == "backup-foreign"
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(tmp_path / "words", "words")
    assert refusal(tmp_path / "other.tar") == "backup-foreign"
    assert refusal(tmp_path / "nothing.tar") == "backup-unreadable"


def test_a_newer_format_is_refused(
    db: None, backup: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FORMAT", 2)
    file = backup()
    monkeypatch.undo()
    assert refusal(file) == "backup-newer"


def test_a_backup_of_another_release_is_refused_with_what_lies_between(
    db: None, backup: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = database.migrations()
    monkeypatch.setattr(database, "migrations", lambda: known[:-1])
    file = backup()
    monkeypatch.undo()
    with pytest.raises(CommandError, match=rf"^backup-release: .*{known[-1]}"):
        restored(file)


def test_other_weights_of_the_bundled_model_are_refused(
    site: ModelVersion, data: Path, backup: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = backup()
    lose_everything(data)
    monkeypatch.setattr("soundsite.backup.files.BUNDLED", data)
    assert refusal(file) == "backup-model"


def test_a_file_in_the_way_stays_and_so_does_the_empty_site(
    site: ModelVersion, data: Path, backup: Callable[..., Path]
) -> None:
    file, name = backup(), str(Track.objects.latest("audio").audio.name)
    lose_everything(data)
    default_storage.save(name, ContentFile(b"of somebody else"))
    assert refusal(file) == "backup-in-the-way"
    assert stored(data) == {name: b"of somebody else"}


def test_a_restore_that_was_killed_can_be_done_again(
    site: ModelVersion, data: Path, backup: Callable[..., Path]
) -> None:
    file, before = backup(), stored(data)
    lose_everything(data)
    name = next(iter(before))
    default_storage.save(name, ContentFile(before[name]))
    restored(file)
    assert stored(data) == before


def test_an_installation_that_was_not_migrated_is_not_backed_up(
    db: None, backup: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = database.migrations()
    monkeypatch.setattr(database, "migrations", lambda: [*known, "tracks.9999_later"])
    with pytest.raises(CommandError, match=r"^backup-unmigrated: .*tracks\.9999_later"):
        backup()
