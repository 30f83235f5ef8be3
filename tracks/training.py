"""Trains a model version for a job, in a child process. Worker only."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings

from tracks import artefacts, children
from tracks.media import local_path
from tracks.models import Job, ModelVersion, Track
from tracks.outage import StoreAwayError
from tracks.selectors import training_tracks
from tracks.services import jobs
from tracks.services.versions import VersionConflictError, register

logger = logging.getLogger(__name__)

Show = Callable[[Mapping[str, Any]], None]


def train_next() -> bool:
    """Claims the oldest waiting training and works on it; False if none waits."""
    clean_up()  # the sweep does so on its own host only
    job = jobs.claim(Job.Kind.TRAIN)
    if job is not None:
        train(job)
    return job is not None


def train(job: Job, show: Show = lambda progress: None) -> ModelVersion | None:
    """Ends a claimed job with a REGISTERED version; None where it failed or is no longer ours."""
    folder = children.work_folder(job.pk)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        version = _trained(job, folder, show)
    except children.NotOursError:
        job.refresh_from_db()
        if job.ended:
            shutil.rmtree(folder, ignore_errors=True)
        return None  # else its checkpoint is for whoever goes on
    except StoreAwayError as error:
        logger.warning("Job %s was left to the sweep: %s", job.pk, error)
        return None  # so is it here
    except children.ChildError as error:
        jobs.fail(job, "child-failed", str(error))
    except VersionConflictError as error:
        jobs.fail(job, "name-taken", str(error))
    except Exception as error:
        logger.exception("Job %s failed", job.pk)
        jobs.fail(job, "internal", type(error).__name__)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        return version
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _trained(job: Job, folder: Path, show: Show) -> ModelVersion:
    tracks = list(training_tracks(job.options.get("data", {})))
    made = folder / "artefact" / job.options["name"]
    with ExitStack() as open_files:
        paths = [open_files.enter_context(local_path(track.audio)) for track in tracks]
        (folder / "files").write_text("".join(f"{path}\n" for path in paths))
        (folder / "settings.json").write_text(json.dumps(job.options.get("overrides", {})))
        told = _teller(job, show)
        children.follow(job, "ml.train", _arguments(job, folder, made), told)
    return _keep(job, made, tracks)


def _arguments(job: Job, folder: Path, made: Path) -> list[str]:
    wanted = job.options
    return [
        str(made),
        *("--files", str(folder / "files")),
        *("--config", wanted["config"]),
        *("--settings", str(folder / "settings.json")),
        *("--epochs", str(wanted["epochs"])),
        *("--steps", str(wanted.get("steps", 10))),
        *("--seed", str(wanted["seed"])),
        *("--checkpoint", str(folder / "checkpoint")),
    ]


def _teller(job: Job, show: Show) -> Callable[[Mapping[str, Any]], bool]:
    """Keeps each line of the command in the job's progress."""

    def told(line: Mapping[str, Any]) -> bool:
        progress = after(job.progress, line)
        show(progress)
        return jobs.tell(job, progress)

    return told


def after(progress: Mapping[str, Any], line: Mapping[str, Any]) -> dict[str, Any]:
    """The progress of a training once the command has said that line."""
    epochs = list(progress.get("epochs", []))
    if line.get("stage") != "training":
        counts = {"done": line.get("done", 0), "total": line.get("total", 0), "seconds": 0.0}
        return {"stage": line.get("stage", ""), "epochs": epochs, **counts}
    said = {**line["figures"], "seconds": line["seconds"]}
    epochs = [*epochs[: line["epoch"] - 1], said]
    return {
        "stage": "training",
        "epochs": epochs,
        "done": line["epoch"],
        "total": line["epochs"],
        "seconds": sum(epoch["seconds"] for epoch in epochs),
    }


def _keep(job: Job, made: Path, tracks: list[Track]) -> ModelVersion:
    """The finished artefact in its place, registered, with the job's end.

    A crash between the two leaves a folder that no row names; the next worker replaces it.
    """
    if not jobs.beat(job):
        raise children.NotOursError
    if ModelVersion.objects.filter(name=made.name).exists():
        raise VersionConflictError(f"There is a model version named {made.name} already.")
    place = artefacts.cache() / made.name
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    artefacts.keep(made)
    shutil.move(made, place)
    version = register(place, job)
    if version is None:
        shutil.rmtree(place, ignore_errors=True)
        raise children.NotOursError
    return version


def clean_up() -> None:
    """Removes what jobs have left that ended while no worker was at them."""
    for folder in (Path(settings.SOUNDSITE_DATA) / "work").glob("[0-9]*"):
        job = Job.objects.filter(pk=int(folder.name)).first()
        if job is None or job.ended:
            shutil.rmtree(folder, ignore_errors=True)
