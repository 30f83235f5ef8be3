"""A version is indexed, activated, rolled back and archived by an administrator, or refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from ml import artefact
from tracks import comparison
from tracks.models import Job, ModelVersion, Track
from tracks.selectors import active_version
from tracks.services import jobs, versions
from tracks.services.versions import VersionRefusedError
from tracks.training import after, clean_up
from tracks.training_form import TrainingForm

pytestmark = pytest.mark.django_db
State = ModelVersion.State
Written = Callable[..., Path]


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    settings.SOUNDSITE_DATA = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def trained(data: Path) -> Callable[..., ModelVersion]:
    """A version as a finished training registers it."""

    def registered(name: str, **more: Any) -> ModelVersion:
        folder = data / "artefacts" / name
        folder.mkdir(parents=True)
        artefact.write_manifest(folder, {"name": name, "embedding_dim": 8, **more})
        job = jobs.begin(Job.Kind.TRAIN, name, {"name": name})
        found = versions.register(folder, job)
        assert found is not None
        return found

    return registered


def made_ready(version: ModelVersion) -> None:
    versions.begin_index(version)
    ModelVersion.objects.filter(pk=version.pk).update(state=State.READY)


def order(client: Client, version: ModelVersion, name: str, **fields: str) -> str:
    address = f"/admin/tracks/modelversion/{version.pk}/{name}/order/"
    return client.post(address, fields, follow=True).content.decode()


def test_a_trained_version_is_indexed_activated_and_rolled_back_from_its_page(
    version: ModelVersion, trained: Any, administrator_client: Client
) -> None:
    second = trained("second")
    order(administrator_client, second, "index")
    second.refresh_from_db()
    assert second.state == State.INDEXING
    assert versions.settle(second)
    order(administrator_client, second, "activate")
    assert active_version() == second
    order(administrator_client, second, "rollback")
    assert active_version() == version
    told = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(told) == ["Index", "Activate", "Roll back"]


def test_a_version_below_full_coverage_is_not_activated(
    version: ModelVersion, trained: Any, add: Callable[..., Track], administrator_client: Client
) -> None:
    second = trained("second")
    made_ready(second)
    add(1)
    with pytest.raises(VersionRefusedError, match="0 of 1 tracks"):
        versions.switch_to(second)
    assert "0 of 1 tracks" in order(administrator_client, second, "activate")
    assert active_version() == version


def test_a_retired_version_goes_on_hearing_new_tracks_for_the_rollback(
    version: ModelVersion, trained: Any, add: Callable[..., Track]
) -> None:
    second = trained("second")
    made_ready(second)
    versions.switch_to(second)
    track = add(1)
    assert {entry.model_version for entry in track.entries.all()} == {version, second}


def test_a_version_that_was_archived_meanwhile_takes_nothing_from_the_one_that_answers(
    version: ModelVersion, trained: Any
) -> None:
    second = trained("second")
    made_ready(second)
    second.refresh_from_db()
    ModelVersion.objects.filter(pk=second.pk).update(state=State.ARCHIVED)
    with pytest.raises(VersionRefusedError, match="second is no longer READY"):
        versions.activate(second)
    assert active_version() == version


def test_a_version_that_could_hear_no_track_is_not_activated(
    version: ModelVersion, trained: Any, add: Callable[..., Track]
) -> None:
    second = trained("second")
    add(1)
    made_ready(second)
    second.entries.update(state="FAILED", error_code="damaged")
    with pytest.raises(VersionRefusedError, match="0 of 1 tracks indexed and 1 failed"):
        versions.switch_to(second)
    assert active_version() == version


def test_a_version_can_be_archived_while_it_is_indexed(
    version: ModelVersion, trained: Any, add: Callable[..., Track], administrator_client: Client
) -> None:
    second = trained("second")
    add(1)
    order(administrator_client, second, "index")
    assert "Archive second?" in order(administrator_client, second, "archive")
    second.refresh_from_db()
    assert second.state == State.INDEXING
    order(administrator_client, second, "archive", sure="yes")
    second.refresh_from_db()
    assert second.state == State.ARCHIVED
    assert not second.entries.exists()


def test_without_a_former_version_there_is_no_rollback(version: ModelVersion) -> None:
    with pytest.raises(VersionRefusedError, match="No version was active"):
        versions.roll_back()


def test_an_archived_version_leaves_no_entries_no_index_and_no_folder(
    version: ModelVersion,
    trained: Any,
    add: Callable[..., Track],
    data: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    second = trained("second")
    add(1)
    made_ready(second)
    with django_capture_on_commit_callbacks(execute=True):
        versions.archive(second)
    second.refresh_from_db()
    assert second.state == State.ARCHIVED
    assert not second.entries.exists()
    assert not (data / "artefacts" / "second").exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_indexes WHERE indexname = %s", [f"tracks_hnsw_{second.pk}"]
        )
        assert cursor.fetchone() == (0,)


def test_the_active_version_and_one_just_retired_are_not_archived(
    version: ModelVersion, trained: Any, artefact_folder: Written
) -> None:
    with pytest.raises(VersionRefusedError, match="ACTIVE"):
        versions.archive(version)
    second = trained("second")
    made_ready(second)
    versions.switch_to(second)
    with pytest.raises(VersionRefusedError, match="a match may still use it"):
        versions.archive(version)
    long_ago = timezone.now() - timedelta(hours=1)
    ModelVersion.objects.filter(pk=second.pk).update(activated_at=long_ago)
    versions.archive(version)
    version.refresh_from_db()
    assert version.state == State.ARCHIVED
    assert Path(version.location).exists()  # it was not trained here


def test_the_original_system_can_be_measured_but_not_indexed(
    version: ModelVersion, trained: Any, administrator_client: Client
) -> None:
    first = trained("first", config="original")
    with pytest.raises(VersionRefusedError, match="does not serve"):
        versions.begin_index(first)
    page = administrator_client.get(f"/admin/tracks/modelversion/{first.pk}/change/")
    assert "does not serve" in page.content.decode()
    assert "/index/order/" not in page.content.decode()
    assert "/evaluate/order/" in page.content.decode()


def test_whoever_may_only_look_can_order_nothing(
    version: ModelVersion, stranger: Any, stranger_client: Client
) -> None:
    stranger.is_staff = True
    stranger.save()
    response = stranger_client.post(f"/admin/tracks/modelversion/{version.pk}/evaluate/order/")
    assert response.status_code == 403
    assert not Job.objects.exists()


def test_the_form_queues_a_training_with_its_options(
    add: Callable[..., Track], administrator_client: Client
) -> None:
    add(1, genre="Chiptune")
    wanted = {"name": "mine", "config": "soundsite", "epochs": 2, "seed": 5, "genre": "Chiptune"}
    wanted["overrides"] = '{"codebooks": 4}'
    administrator_client.post("/admin/tracks/modelversion/train/", wanted)
    job = Job.objects.get()
    assert (job.kind, job.state) == ("TRAIN", "QUEUED")
    assert job.options["data"] == {"genre": "Chiptune"}
    assert job.options["overrides"] == {"codebooks": 4}
    page = administrator_client.get(job.get_absolute_url()).content.decode()
    assert 'id="curves"' in page


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ('{"codebook": 4}', "Unknown setting codebook; known are width"),
        ('{"features": {"sample_rate": 1}}', "Unknown setting features.sample_rate"),
        ('{"codebooks": 400}', "codebooks is 400, but must be from 1 to 32."),
        ('{"width": "wide"}', "must be of the type integer"),
        ("{", "This is no JSON"),
    ],
)
def test_overrides_that_the_schema_does_not_know_get_a_sentence(
    add: Callable[..., Track], overrides: str, sentence: str
) -> None:
    add(1)
    wanted = {"name": "mine", "config": "soundsite", "epochs": 2, "seed": 5}
    form = TrainingForm({**wanted, "overrides": overrides})
    assert sentence in " ".join(form.errors["overrides"])


def test_a_line_of_a_resumed_training_replaces_what_came_after_its_checkpoint() -> None:
    line = {"stage": "training", "epochs": 3, "seconds": 2.0, "figures": {"loss": 1.0}}
    told = after(after({}, {**line, "epoch": 1}), {**line, "epoch": 2})
    again = after(told, {**line, "epoch": 2, "figures": {"loss": 0.5}})
    assert [epoch["loss"] for epoch in again["epochs"]] == [1.0, 0.5]
    assert (again["done"], again["total"], again["seconds"]) == (2, 3, 4.0)


def test_what_a_cancelled_job_left_is_swept_away_and_a_paused_one_keeps_its_checkpoint(
    data: Path,
) -> None:
    kept, gone = (jobs.create(Job.Kind.TRAIN, name, options={}) for name in "ab")
    for job in (kept, gone):
        (data / "work" / str(job.pk)).mkdir(parents=True)
    jobs.pause(kept)
    jobs.cancel(gone)
    clean_up()
    assert [folder.name for folder in (data / "work").iterdir()] == [str(kept.pk)]


def test_the_difference_to_the_active_version_is_told_in_words(
    version: ModelVersion, trained: Any
) -> None:
    second = trained("second")
    for one, hits in ((version, (0, 0, 0, 1)), (second, (1, 1, 0, 1))):
        measured = {str(n): ["ab"[n % 2], hit] for n, hit in enumerate(hits)}
        one.evaluation = {"hits": measured, "systems": {}}
    told = comparison.difference_in_words(second, version)
    assert told.startswith("Finds the same soundtrack first for 75 % instead of 25 %")
    assert "+50 to +50" in told


def test_the_commands_tell_in_json_and_refuse_with_a_sentence(
    version: ModelVersion, trained: Any
) -> None:
    second = trained("second")

    def said(*arguments: str) -> Any:
        out = io.StringIO()
        call_command(*arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    assert said("index_model", "second")["state"] == State.INDEXING
    with pytest.raises(CommandError, match="only a READY version"):
        call_command("activate_model", "second")
    assert versions.settle(second)
    assert said("activate_model", "second")["state"] == State.ACTIVE
    assert said("activate_model", "--rollback")["name"] == version.name
    with pytest.raises(CommandError, match="no model version named third"):
        call_command("archive_model", "third")
