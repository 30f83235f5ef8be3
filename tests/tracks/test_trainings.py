"""A training and an evaluation through their jobs, in a real child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracks import children
from tracks.evaluating import evaluate
from tracks.models import Job, ModelVersion, Track
from tracks.services import jobs, versions
from tracks.training import train, train_next

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = {"width": 8, "latent_dim": 4, "codebooks": 2, "codebook_size": 16}


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Path:
    settings.SOUNDSITE_DATA = tmp_path / "data"
    return tmp_path / "data"


def asked(name: str = "mine", **more: Any) -> Job:
    options = {"name": name, "config": "soundsite", "epochs": 2, "steps": 1, "seed": 1}
    return versions.ask_for_training({**options, "overrides": SMALL, **more})


def test_a_cancelled_training_leaves_nothing_and_a_resumed_one_is_finished_and_measured(
    data: Path, add: Callable[..., Track]
) -> None:
    add(1, soundtrack="One")
    add(2, soundtrack="Two")
    asked("cancelled")
    job = jobs.claim(Job.Kind.TRAIN)
    assert job is not None
    assert train(job, lambda progress: bool(jobs.cancel(job))) is None  # at its first word
    assert not ModelVersion.objects.exists()
    assert not list((data / "work").iterdir())
    assert not (data / "artefacts").exists()

    paused = asked()
    job = jobs.claim(Job.Kind.TRAIN)
    assert job is not None

    def after_an_epoch(progress: Any) -> None:
        if progress["stage"] == "training":
            jobs.pause(Job.objects.get(pk=paused.pk))

    assert train(job, after_an_epoch) is None
    assert (children.work_folder(paused.pk) / "checkpoint" / "checkpoint.npz").exists()
    paused.refresh_from_db()
    assert jobs.resume(paused)
    assert train_next()
    paused.refresh_from_db()
    assert (paused.state, paused.error_detail) == ("FINISHED", "")
    assert paused.progress["done"] == 2
    version = ModelVersion.objects.get()
    assert version.state == "REGISTERED"
    assert len(version.manifest["training"]["history"]["loss"]) == 2

    measuring = jobs.begin(Job.Kind.EVALUATE, "Evaluate", {"version": version.pk})
    done = evaluate(measuring)
    measuring.refresh_from_db()
    assert done, measuring.error_detail
    version.refresh_from_db()
    assert version.evaluation is not None
    assert version.evaluation["tracks"] == 2
    assert not list((data / "work").iterdir())
