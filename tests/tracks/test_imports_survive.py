"""Whatever happens to its worker, an import loses nothing and does nothing twice."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.tracks.conftest import song
from tests.tracks.import_steps import (
    Item,
    Killed,
    State,
    audio_files,
    send,
    states,
    stored,
    work,
)
from tracks import importing
from tracks.models import Job, Track
from tracks.services import catalogue, imports, jobs
from tracks.tasks import import_step, sweep_index

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("order", "state"), [("pause", State.PAUSED), ("cancel", State.CANCELLED)])
def test_a_worker_stops_after_the_file_in_hand_when_told(
    administrator_client: Client,
    three: bytes,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
    state: str,
) -> None:
    job = work(send(administrator_client, three))
    jobs.go(job)
    tell, told = jobs.tell, []

    def telling(mine: Job, progress: Any) -> bool:
        told.append(1)
        if len(told) == 2:  # after the first file
            getattr(jobs, order)(Job.objects.get(pk=mine.pk))
        return tell(mine, progress)

    monkeypatch.setattr(jobs, "tell", telling)
    import_step(job.pk)
    job.refresh_from_db()
    assert job.state == state
    assert Track.objects.count() == 1


def test_a_paused_import_goes_on_where_it_stood(administrator_client: Client, three: bytes) -> None:
    job = work(send(administrator_client, three))
    jobs.go(job)
    assert jobs.pause(job)
    assert work(job).state == State.PAUSED
    assert Track.objects.count() == 0
    assert jobs.resume(job)
    assert work(job).state == State.FINISHED
    assert Track.objects.count() == 3


DEATHS = [
    (imports, "list_members"),
    (imports, "settle"),
    (imports, "record"),
    (importing, "put"),
    (importing, "probe"),
    (jobs, "tell"),
    (jobs, "planned"),
    (jobs, "finish"),
    (catalogue.index, "queue_track"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("place", "name"), DEATHS)
def test_a_worker_that_dies_at_any_write_does_nothing_twice_and_loses_nothing(
    administrator_client: Client,
    three: bytes,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Any,
    name: str,
    moment: str,
) -> None:
    real = getattr(place, name)
    job = send(administrator_client, three)
    kill_at(monkeypatch, place, name, moment)
    survive(job)
    assert job.state == State.PLANNED
    assert jobs.go(job)
    monkeypatch.setattr(place, name, real)
    kill_at(monkeypatch, place, name, moment)
    survive(job)
    assert job.state == State.FINISHED
    assert set(states(job).values()) == {(Item.CREATED, "")}
    assert Track.objects.count() == 3
    assert LogEntry.objects.filter(content_type__model="track").count() == 3
    assert audio_files(media) == 3
    assert stored(media) == []


def kill_at(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, moment: str) -> None:
    """The first time that it is called the worker dies, and cleans nothing up."""
    real, forget = getattr(place, name), imports.forget_half_written

    def dying(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(place, name, real)
        monkeypatch.setattr(imports, "forget_half_written", lambda job: None)
        if moment == "after":
            real(*args, **kwargs)
        raise Killed(forget)

    monkeypatch.setattr(place, name, dying)


def survive(job: Job) -> None:
    """Works on as the sweep and the next worker do."""
    for _ in range(4):
        try:
            work(job)
        except Killed as end:
            imports.forget_half_written = end.args[0]
            long_ago = timezone.now() - timedelta(minutes=5)
            Job.objects.filter(pk=job.pk, state=State.RUNNING).update(heartbeat_at=long_ago)
            sweep_index()
    job.refresh_from_db()


def test_a_file_that_takes_every_worker_with_it_is_refused_and_the_others_are_imported(
    administrator_client: Client, three: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(send(administrator_client, three))
    jobs.go(job)
    real = importing.probe

    def deadly(path: Path) -> Any:
        if hashlib.sha256(path.read_bytes()).hexdigest() == hashlib.sha256(song(0)).hexdigest():
            raise Killed(imports.forget_half_written)
        return real(path)

    monkeypatch.setattr(importing, "probe", deadly)
    survive(job)
    assert job.state == State.FINISHED
    assert states(job)["Kit/0.flac"] == (Item.REFUSED, "worker-lost")
    assert Track.objects.count() == 2
