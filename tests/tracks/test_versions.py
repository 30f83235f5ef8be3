"""Model versions: registered beside the active one, activated in one step, never mixed up."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from ml.errors import ArtefactError
from tracks.models import ModelVersion, Track
from tracks.selectors import active_version
from tracks.selectors import artefact_folder as folder_of
from tracks.services import versions
from tracks.services.versions import VersionConflictError, activate, install_model

pytestmark = pytest.mark.django_db
State = ModelVersion.State
Written = Callable[..., Path]


def test_the_first_version_is_active_and_every_track_waits_for_it(
    artefact_folder: Written, add: Callable[..., Track]
) -> None:
    track = add(1)
    version, created = install_model(artefact_folder("one"))
    assert created
    assert active_version() == version
    assert version.entries.get().track == track


def test_installing_the_same_folder_again_changes_nothing(
    artefact_folder: Written, add: Callable[..., Track]
) -> None:
    folder = artefact_folder("one")
    add(1)
    version, _ = install_model(folder)
    again, created = install_model(folder)
    assert (again, created) == (version, False)
    assert version.entries.count() == 1


def test_a_second_version_is_indexed_beside_the_active_one(
    artefact_folder: Written, version: ModelVersion, add: Callable[..., Track]
) -> None:
    add(1)
    second, _ = install_model(artefact_folder("two"))
    assert active_version() == version
    assert second.state == State.INDEXING
    assert second.entries.count() == 1


def test_other_weights_under_a_name_that_is_taken_are_refused(
    artefact_folder: Written, version: ModelVersion, tmp_path: Path
) -> None:
    other = artefact_folder("other-folder", remark="trained again")
    manifest = (other / "manifest.json").read_text().replace("other-folder", version.name)
    (other / "manifest.json").write_text(manifest)
    with pytest.raises(VersionConflictError, match="a name of their own"):
        install_model(other)


def test_activating_retires_the_former_version_and_rollback_is_the_same_step(
    artefact_folder: Written, version: ModelVersion
) -> None:
    second, _ = install_model(artefact_folder("two"))
    for target, former in ((second, version), (version, second)):
        target.refresh_from_db()
        activate(target)
        former.refresh_from_db()
        assert active_version() == target
        assert former.state == State.RETIRED


def test_the_database_itself_refuses_a_second_active_version(
    artefact_folder: Written, version: ModelVersion
) -> None:
    second, _ = install_model(artefact_folder("two"))
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=second.pk).update(
            state=State.ACTIVE, activated_at=version.activated_at
        )


def test_a_version_is_ready_once_it_has_heard_the_whole_catalogue(
    artefact_folder: Written, version: ModelVersion, add: Callable[..., Track]
) -> None:
    add(1)
    second, _ = install_model(artefact_folder("two"))
    assert not versions.settle(second)
    second.entries.update(state="FAILED", error_code="damaged")
    assert versions.settle(second)
    assert second.state == State.READY


def test_each_version_has_an_approximate_index_of_its_own(
    artefact_folder: Written, version: ModelVersion
) -> None:
    second, _ = install_model(artefact_folder("two", embedding_dim=32))
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%hnsw%'")
        found = dict(cursor.fetchall())
    assert set(found) >= {f"tracks_hnsw_{version.pk}", f"tracks_hnsw_{second.pk}"}
    assert "halfvec(32)" in found[f"tracks_hnsw_{second.pk}"]


def test_a_folder_in_the_project_is_kept_relative_so_that_a_checkout_can_move(
    artefact_folder: Written, settings: Any
) -> None:
    folder = artefact_folder("one")
    settings.BASE_DIR = folder.parent
    version, _ = install_model(folder)
    assert version.location == "one"
    assert folder_of(version) == folder


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError) as refused:
        install_model(tmp_path)
    assert refused.value.code == "artefact-missing"
    with pytest.raises(CommandError, match="artefact-missing"):
        call_command("install_model", tmp_path, stdout=io.StringIO())


def test_the_command_tells_the_version_and_its_state(artefact_folder: Written) -> None:
    out = io.StringIO()
    call_command("install_model", artefact_folder("one"), stdout=out)
    assert "one" in out.getvalue()
    assert "ACTIVE" in out.getvalue()
