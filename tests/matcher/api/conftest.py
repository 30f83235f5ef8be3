"""Programs that call the API, each with a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from matcher.api import tokens
from matcher.api.models import Scope
from tests.matcher.sounds import tone

Caller = Callable[..., Client]


@pytest.fixture
def caller() -> Caller:
    """Makes a client with a new token of a person, of all scopes that the person may have."""

    def make(person: Any, *scopes: str, **options: Any) -> Client:
        everything = [scope for scope in Scope if scope != Scope.ADMIN or person.is_staff]
        _, secret = tokens.make(person, "test", scopes or everything, **options)
        return with_secret(secret)

    return make


def with_secret(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def program(caller: Caller, owner: Any) -> Client:
    """Acts for the owner and may read and match."""
    return caller(owner)


def song(content: bytes | None = None, name: str = "song.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, tone(1) if content is None else content)


def send(client: Client, file: SimpleUploadedFile | None = None, **headers: str) -> Any:
    return client.post("/api/v1/uploads", {"audio": file or song()}, headers=headers)


def code_of(response: Any) -> str:
    """The code of a problem, after a look at what every problem has."""
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == response.status_code
    assert told["type"].endswith(f"/api/v1/problems#{told['code']}")
    assert told["title"]
    assert told["detail"]
    return str(told["code"])
