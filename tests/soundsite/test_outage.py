"""What people and programs are told while the database is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from matcher.api.problems import MEDIA_TYPE


@pytest.fixture
def away(owner_client: Client) -> Iterator[Client]:
    """A browser of somebody signed in, and a database that refuses to be asked."""
    owner_client.raise_request_exception = False
    with asking_raises(OperationalError("connection refused")):
        yield owner_client


@contextmanager
def asking_raises(error: Exception) -> Iterator[None]:
    with mock.patch.object(connection, "cursor", side_effect=error):
        yield


@pytest.mark.parametrize("path", ["/uploads/", "/uploads/new/", "/catalogue/", "/admin/"])
def test_a_page_says_that_the_database_is_away_and_when_to_come_back(
    away: Client, path: str
) -> None:
    response = away.get(path)
    assert response.status_code == 503
    assert response["Retry-After"] == "15"
    assert "no-store" in response["Cache-Control"]
    page = response.content.decode()
    assert "Our database is away for a moment" in page
    assert "refused" not in page


def test_a_program_is_told_by_a_problem(away: Client) -> None:
    response = away.get("/api/v1/tracks")
    assert (response.status_code, response["Retry-After"]) == (503, "15")
    assert response["Content-Type"] == MEDIA_TYPE
    assert response.json()["code"] == "database-away"


def test_the_page_speaks_the_language_that_the_browser_asks_for(away: Client) -> None:
    page = away.get("/uploads/", headers={"Accept-Language": "de"}).content.decode()
    assert "Unsere Datenbank ist gerade nicht erreichbar" in page


def test_a_session_that_was_changed_does_not_turn_the_answer_into_another_error(
    away: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(SessionStore, "save", lost)
    assert away.post("/accounts/login/", {"login": "olivia", "password": "x"}).status_code == 503


def test_an_error_of_ours_is_still_an_error_of_ours(owner_client: Client) -> None:
    owner_client.raise_request_exception = False
    with asking_raises(RuntimeError("the moon fell down")):
        response = owner_client.get("/uploads/")
    assert response.status_code == 500
    assert "Retry-After" not in response.headers
