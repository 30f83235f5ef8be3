"""Writes of model versions: registered from an artefact folder, indexed, activated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from ml import artefact
from tracks.models import ModelVersion
from tracks.selectors import active_version, coverage
from tracks.services import index

State = ModelVersion.State


class VersionConflictError(Exception):
    """A version of that name holds other weights."""


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
    with transaction.atomic():
        version, created = _register(folder, manifest, sha256)
        if version.state == State.REGISTERED:
            _begin_indexing(version)
        if version.state in ModelVersion.LIVE:
            index.queue_missing(version)
        if active_version() is None:
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

    One transaction: at no moment do two versions answer, or none.
    """
    former = active_version()
    if former is not None and former.pk != version.pk:
        _move(former, State.ACTIVE, State.RETIRED)
    _move(version, State(version.state), State.ACTIVE, activated_at=Now())


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
