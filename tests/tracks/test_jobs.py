"""A long job is claimed once, can be paused, resumed and cancelled, and is given up when silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tracks.models import Job
from tracks.services import jobs

pytestmark = pytest.mark.django_db
State = Job.State


@pytest.fixture
def job() -> Job:
    return jobs.create(Job.Kind.IMPORT, "Twelve files")


def running(job: Job) -> Job:
    found = jobs.claim(Job.Kind.IMPORT)
    assert found is not None
    assert found.pk == job.pk
    return found


def fall_silent(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))


def test_a_job_is_claimed_once(job):
    assert running(job).attempt == 1
    assert jobs.claim(Job.Kind.IMPORT) is None


@pytest.mark.parametrize("address", ["999999", "none"])
def test_a_job_that_is_not_there_has_no_page(administrator_client, address):
    assert administrator_client.get(f"/admin/tracks/job/{address}/change/").status_code == 404


def test_the_list_tells_how_far_a_job_has_come(administrator_client, job):
    Job.objects.filter(pk=job.pk).update(
        kind=Job.Kind.TRAIN, progress={"done": 2, "total": 30, "stage": "training"}
    )
    page = administrator_client.get("/admin/tracks/job/").content.decode()
    assert "2 of 30" in page
    assert "stage" not in page


def test_a_claim_takes_only_jobs_of_its_kind(job):
    assert jobs.claim(Job.Kind.TRAIN) is None


def test_a_step_gives_the_job_back_with_what_it_has_told(job):
    mine = running(job)
    assert jobs.tell(mine, {"seconds": 3.5})
    assert jobs.step_done(mine)
    again = running(job)
    assert again.attempt == 2
    assert again.progress == {"seconds": 3.5}


def test_a_planned_job_waits_for_its_owners_word(job):
    assert jobs.planned(running(job))
    assert jobs.claim(Job.Kind.IMPORT) is None
    job.refresh_from_db()
    assert jobs.go(job)
    assert running(job).options["go"]


def test_a_paused_job_is_lost_to_its_worker_and_resumes_where_it_stood(job):
    mine = running(job)
    assert jobs.pause(job)
    assert not jobs.beat(mine)
    assert not jobs.finish(mine)
    assert jobs.claim(Job.Kind.IMPORT) is None
    assert jobs.resume(job)
    assert running(job).attempt == 2


@pytest.mark.parametrize("state", [State.QUEUED, State.PLANNED, State.PAUSED])
def test_a_waiting_job_can_be_cancelled(job, state):
    Job.objects.filter(pk=job.pk).update(state=state)
    assert jobs.cancel(job)
    assert job.state == State.CANCELLED
    assert job.ended_at


def test_a_cancelled_job_is_lost_to_its_worker(job):
    mine = running(job)
    assert jobs.cancel(job)
    assert not jobs.tell(mine, {"seconds": 1.0})
    assert not jobs.cancel(job)


def test_a_silent_job_goes_back_to_the_queue_and_its_old_worker_cannot_write(job):
    mine = running(job)
    fall_silent(job)
    jobs.sweep()
    job.refresh_from_db()
    assert job.state == State.QUEUED
    assert job.losses == 1
    assert not jobs.finish(mine)


def test_a_job_that_loses_every_worker_fails_with_its_reason(job, settings):
    for _ in range(settings.MAX_ATTEMPTS):
        running(job)
        fall_silent(job)
        jobs.sweep()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "worker-lost")


def test_progress_between_losses_gives_all_attempts_back(job):
    running(job)
    fall_silent(job)
    jobs.sweep()
    assert jobs.tell(running(job), {"seconds": 1.0})
    job.refresh_from_db()
    assert job.losses == 0
