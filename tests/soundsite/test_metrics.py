"""What Prometheus is told, and who else is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from matcher.models import State, Upload
from tracks.models import ModelVersion

SCRAPER = {"Authorization": "Bearer the-scraper-s-token"}
Values = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def _token(settings: Any) -> Iterator[None]:
    """Nobody waits for workers that do not run."""
    settings.METRICS_TOKEN = "the-scraper-s-token"
    with mock.patch("soundsite.broker.workers", return_value={"match": 2}):
        yield


def scrape(client: Client) -> Values:
    """Values by name and by labels, in the order of their names."""
    answer = client.get("/metrics", headers=SCRAPER)
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def put(owner: User, state: State, **values: Any) -> Upload:
    return Upload.objects.create(
        owner=owner, state=state, original_name="a", audio="uploads/a", size=1, **values
    )


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer another"}])
def test_without_the_token_there_is_no_such_page(
    administrator_client: Client, sent: dict[str, str]
) -> None:
    assert administrator_client.get("/metrics", headers=sent).status_code == 404


def test_where_no_token_is_set_nobody_has_it(client: Client, db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_depth_and_age_of_queues_stages_failures_and_the_index_are_told(
    client: Client, owner: User, active: ModelVersion
) -> None:
    now = timezone.now()

    def ago(seconds: float) -> Any:
        return now - timedelta(seconds=seconds)

    put(owner, State.QUEUED, queued_at=ago(90))
    put(owner, State.QUEUED, queued_at=ago(30))
    put(owner, State.FAILED, error_code="damaged", finished_at=now)
    stages = {"DECODING": ago(60).isoformat()}
    running = {"heartbeat_at": now, "started_at": ago(60), "attempt": 1}
    put(owner, State.DECODING, stages=stages, **running)
    stages = {"DECODING": ago(8).isoformat(), "EXTRACTING": ago(5).isoformat()}
    ended = {"finished_at": ago(1), "duration": 3.0, "model_version": active}
    put(owner, State.FINISHED, queued_at=ago(10), stages=stages, **ended)

    told = scrape(client)
    assert told["soundsite_queue_depth", "upload", "match"] == 2
    assert told["soundsite_queue_oldest_seconds", "match"] == pytest.approx(90, abs=30)
    assert told["soundsite_upload_failures_1h", "damaged"] == 1
    assert told["soundsite_uploads_1h", "FINISHED"] == 1
    assert told["soundsite_stage_age_seconds", "DECODING"] == pytest.approx(60, abs=30)
    took = {stage: told["soundsite_stage_seconds", "0.95", stage] for stage in ("QUEUED", *stages)}
    assert took == pytest.approx({"QUEUED": 2, "DECODING": 3, "EXTRACTING": 4})
    assert told["soundsite_model_info", "Active", "one"] == 1
    assert told["soundsite_index_coverage_ratio", "one"] == 0
    assert told["soundsite_workers", "match"] == 2
    assert told["soundsite_up", "broker"] == told["soundsite_up", "database"] == 1
    assert told["process_resident_memory_bytes",] > 1e6


def test_a_database_that_is_away_is_told_and_the_rest_too(client: Client, db: None) -> None:
    with mock.patch.object(connection, "cursor", side_effect=OperationalError("refused")):
        told = scrape(client)
    assert (told["soundsite_up", "database"], told["soundsite_up", "broker"]) == (0, 1)
    assert told["soundsite_workers", "match"] == 2
