"""Writes of model versions: registered from an artefact folder, indexed, activated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from ml import artefact
from tracks import artefacts
from tracks.models import Job, ModelVersion
from tracks.selectors import active_version, coverage, rollback_target
from tracks.services import index, jobs

State = ModelVersion.State
ARCHIVABLE = (State.REGISTERED, State.INDEXING, State.READY, State.RETIRED)


class VersionConflictError(Exception):
    """A version of that name holds other weights."""


class VersionRefusedError(Exception):
    """That cannot be done with the version as it stands; the message says why."""


def serves(version: ModelVersion) -> bool:
    """False for the first system: it can be measured, but the search is not made for it."""
    return bool(version.manifest.get("config") != "original")


def ask_for_training(options: Mapping[str, Any], owner: User | None = None) -> Job:
    """A QUEUED training with the options of `tracks.training`."""
    return jobs.create(Job.Kind.TRAIN, f"Train {options['name']}", owner=owner, options=options)


def ask_for_evaluation(version: ModelVersion, owner: User | None = None) -> Job:
    options = {"version": version.pk}
    return jobs.create(Job.Kind.EVALUATE, f"Evaluate {version}", owner=owner, options=options)


@transaction.atomic
def register(folder: Path, job: Job) -> ModelVersion | None:
    """A REGISTERED version from a finished training; None where the job is no longer ours."""
    if not jobs.finish(job):
        return None
    manifest = artefact.read_manifest(folder)
    manifest["data"] = job.options.get("data", {})
    version, _ = _register(folder, manifest, artefact.digest(folder))
    return version


@transaction.atomic
def keep_evaluation(job: Job, report: Mapping[str, Any]) -> bool:
    """The report to its version, with the job's end; False where the job is no longer ours."""
    if not jobs.finish(job):
        return False
    ModelVersion.objects.filter(pk=job.options["version"]).update(evaluation=dict(report))
    return True


@transaction.atomic
def begin_index(version: ModelVersion) -> None:
    """REGISTERED -> INDEXING, beside the one that answers; every track is queued for it."""
    if not serves(version):
        raise VersionRefusedError(
            "The original system can be evaluated, but it does not serve the site's search."
        )
    if version.state != State.REGISTERED:
        raise VersionRefusedError(f"{version} is {version.state}, not REGISTERED.")
    _begin_indexing(version)
    index.queue_missing(version)


@transaction.atomic
def switch_to(version: ModelVersion) -> None:
    """READY -> ACTIVE; refused below full coverage, and where no track could be heard."""
    version = ModelVersion.objects.get(pk=version.pk)
    counts = coverage(version)
    heard = counts.indexed or not counts.tracks
    if version.state != State.READY or not (counts.full and heard):
        raise VersionRefusedError(
            f"{version} is {version.state} with {counts.indexed} of {counts.tracks} tracks "
            f"indexed and {counts.failed} failed; only a READY version with nothing waiting "
            "can be activated."
        )
    activate(version)


@transaction.atomic
def roll_back() -> ModelVersion:
    """The version that was active before answers again, at once.

    A retired version is indexed on; what it has not heard yet is queued and missing until then.
    """
    target = rollback_target()
    if target is None:
        raise VersionRefusedError("No version was active before this one.")
    activate(target)
    index.queue_missing(target)
    return target


@transaction.atomic
def archive(version: ModelVersion) -> None:
    """-> ARCHIVED: its entries, its approximate index and the store's copy of its artefact go.

    A match that began with a version just retired may still run: it is let finish first.
    """
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if version.state not in ARCHIVABLE:
        raise VersionRefusedError(f"{version} is {version.state} and cannot be archived.")
    active = active_version()
    rest = timedelta(seconds=settings.MATCH_HARD_LIMIT_SECONDS)
    retired_at = active.activated_at if active and version.state == State.RETIRED else None
    if retired_at and timezone.now() - retired_at < rest:
        raise VersionRefusedError(
            f"{version} was active until a moment ago, and a match may still use it: "
            f"try again {rest.seconds} seconds after it was retired."
        )
    version.entries.all().delete()
    _move(version, State(version.state), State.ARCHIVED)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP INDEX IF EXISTS tracks_hnsw_{int(version.pk)}")
    transaction.on_commit(partial(artefacts.forget, version))


def install_model(folder: Path) -> tuple[ModelVersion, bool]:
    """Registers the model in that folder and queues every track for it.

    The first version of all becomes ACTIVE. A version that is known already gets the entries
    that it lacks, nothing else.

    Returns:
        The version, and whether it is new.

    Raises:
        ml.errors.ArtefactError: the folder holds no sound artefact.
        VersionConflictError: that name is taken by other weights.
    """
    manifest, sha256 = artefact.read_manifest(folder), artefact.digest(folder)
    artefacts.keep(folder)
    with transaction.atomic():
        version, created = _register(folder, manifest, sha256)
        if version.state == State.REGISTERED and serves(version):
            _begin_indexing(version)
        if version.state in ModelVersion.LIVE:
            index.queue_missing(version)
        if active_version() is None and serves(version):
            activate(version)
    return version, created


def _register(folder: Path, manifest: dict[str, Any], sha256: str) -> tuple[ModelVersion, bool]:
    """A new REGISTERED row, or the one of the same name and weights."""
    version, created = ModelVersion.objects.get_or_create(
        name=manifest["name"],
        defaults={
            "location": location_of(folder),
            "sha256": sha256,
            "manifest": manifest,
            "embedding_dim": manifest["embedding_dim"],
        },
    )
    if version.sha256 != sha256:
        raise VersionConflictError(
            f"The model version {version.name} is registered with the SHA-256 {version.sha256}, "
            f"but the folder {folder} has {sha256}: give the new weights a name of their own."
        )
    return version, created


def location_of(folder: Path) -> str:
    """Relative where it lies in the project: a checkout may move, and workers have their own."""
    folder, base = folder.resolve(), Path(settings.BASE_DIR)
    return str(folder.relative_to(base) if folder.is_relative_to(base) else folder)


def _begin_indexing(version: ModelVersion) -> None:
    """REGISTERED -> INDEXING, with the version's own approximate index."""
    if _move(version, State.REGISTERED, State.INDEXING):
        make_search_index(version)


def make_search_index(version: ModelVersion) -> None:
    """One partial index a version, over the expression that `tracks.search` orders by.

    Vectors of two versions are never compared, and their dimensions may differ.
    """
    with connection.cursor() as cursor:
        # PostgreSQL builds no index over rows whose foreign keys are still to be checked.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS {search_index(version.pk)} "
            "ON tracks_indexentry USING hnsw "
            f"((embedding::halfvec({int(version.embedding_dim)})) halfvec_cosine_ops) "
            f"WHERE model_version_id = {int(version.pk)}"
        )


def search_index(version_id: int) -> str:
    """The name of a version's approximate index in the database."""
    return f"tracks_hnsw_{int(version_id)}"


def settle(version: ModelVersion) -> bool:
    """INDEXING -> READY once the version has heard the whole catalogue."""
    return coverage(version).full and _move(version, State.INDEXING, State.READY)


@transaction.atomic
def activate(version: ModelVersion) -> None:
    """Makes the version the one that answers; the one before it is RETIRED, for rollback.

    One transaction: at no moment do two versions answer, or none. Two activations wait for each
    other.

    Raises:
        VersionRefusedError: the version is no longer in the state that the caller knows.
    """
    rows = ModelVersion.objects.select_for_update().order_by("pk")
    list(rows.filter(Q(state=State.ACTIVE) | Q(pk=version.pk)).values_list("pk"))
    former = active_version()
    if former is not None and former.pk != version.pk:
        _move(former, State.ACTIVE, State.RETIRED)
    if not _move(version, State(version.state), State.ACTIVE, activated_at=Now()):
        raise VersionRefusedError(f"{version} is no longer {version.state}.")


def keep_calibration(version: ModelVersion, nearest: list[float], as_of: Any) -> None:
    """Stores the catalogue's own nearest distances, which hold for the index of that moment."""
    ModelVersion.objects.filter(pk=version.pk).update(
        nearest_distances=sorted(nearest), calibrated_at=as_of
    )


def _move(version: ModelVersion, origin: State, target: State, **values: Any) -> bool:
    """One compare-and-set of the state; False when another was faster."""
    moved = ModelVersion.objects.filter(pk=version.pk, state=origin).update(state=target, **values)
    if moved == 1:
        version.state = target
    return moved == 1
