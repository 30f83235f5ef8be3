from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from soundsite import health
from tracks.models import ModelVersion


@pytest.mark.django_db
def test_the_health_check_answers_while_the_database_is_reachable(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok"}


@pytest.mark.django_db
def test_the_health_check_fails_while_the_database_is_not(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", gone)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "refused" not in answer.content.decode()


READY = {"ready": True, "database": "ok", "migrations": "ok", "model": "ok", "broker": "ok"}


def test_a_site_with_all_it_needs_is_ready(client: Client, active: ModelVersion) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, READY)


def test_a_site_without_an_active_model_is_not_ready_and_says_why(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {**READY, "ready": False, "model": "none is active"}


def test_a_site_with_migrations_to_come_is_not_ready(client: Client, active: ModelVersion) -> None:
    app, newest = MigrationLoader(connection).graph.leaf_nodes("matcher")[-1]
    MigrationRecorder(connection).record_unapplied(app, newest)
    health._missing_migrations.cache_clear()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "1 not applied")
    MigrationRecorder(connection).record_applied(app, newest)
    assert client.get("/readyz").json() == READY


def test_a_broker_that_is_away_is_told_but_pages_are_served(
    client: Client, active: ModelVersion, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {**READY, "broker": "unreachable"})


def test_a_site_without_its_database_is_not_ready(client: Client, db: None) -> None:
    with mock.patch.object(connection, "cursor", side_effect=OperationalError("refused")):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "unreachable", "broker": "ok"}
