"""Databases and processes apart from the ones pytest-django makes."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.utils import timezone

from tracks.models import ModelVersion

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class OtherDatabase:
    """An empty database of its own, and a role that owns it and is no superuser."""

    administrator_url: str
    url: str

    def as_administrator(self, statement: str) -> None:
        _run(self.administrator_url, statement)


@pytest.fixture
def other_database() -> Iterator[OtherDatabase]:
    name = f"other_{uuid.uuid4().hex[:12]}"
    server = os.environ["DATABASE_URL"]
    _run(server, f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    _run(server, f"CREATE DATABASE {name} OWNER {name}")
    try:
        yield OtherDatabase(_changed(server, name), _changed(server, name, login=f"{name}:{name}"))
    finally:
        _run(server, f"DROP DATABASE {name} WITH (FORCE)")
        _run(server, f"DROP ROLE {name}")


def _changed(url: str, database: str, login: str | None = None) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{login}@{host}" if login else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{database}"))


def _run(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


@pytest.fixture
def active(db: None) -> ModelVersion:
    """A model version that answers, without its files."""
    return ModelVersion.objects.create(
        name="one",
        location="nowhere",
        sha256="0" * 64,
        manifest={},
        embedding_dim=4,
        state=ModelVersion.State.ACTIVE,
        activated_at=timezone.now(),
    )
