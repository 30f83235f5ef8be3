from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from soundsite.checks import _version_errors, check_pgvector, check_relations, check_trigrams
from tests.soundsite.conftest import OtherDatabase

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_default_settings_contradict_nothing() -> None:
    assert check_relations() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HEARTBEAT_SECONDS", 7, "soundsite.E001"),
        ("SWEEP_SECONDS", 40, "soundsite.E002"),
        ("MATCH_SOFT_LIMIT_SECONDS", 270, "soundsite.E003"),
        ("BROKER_VISIBILITY_SECONDS", 270, "soundsite.E004"),
        ("UPLOAD_MIN_SECONDS", 1800, "soundsite.E005"),
        ("UPLOADS_KEPT_BYTES", 1024, "soundsite.E006"),
        ("HSTS_SECONDS", 60, "soundsite.E007"),
        ("HSTS_PRELOAD", True, "soundsite.E008"),
    ],
)
def test_settings_that_contradict_each_other_are_an_error(
    settings: Any, name: str, value: int, expected: str
) -> None:
    setattr(settings, name, value)
    errors = check_relations()
    assert [error.id for error in errors] == [expected]
    assert name in errors[0].msg


@pytest.mark.django_db
def test_a_database_with_pgvector_passes() -> None:
    assert check_pgvector(databases=["default"]) == []


@pytest.mark.django_db
def test_a_server_without_pgvector_is_an_error_that_says_what_to_install() -> None:
    with connection.cursor() as cursor:
        # Views that stand before the system's own play a server that does not know pgvector.
        for name in ("pg_extension", "pg_available_extensions"):
            cursor.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM pg_catalog.{name} LIMIT 0")
        cursor.execute("SET LOCAL search_path = pg_temp, pg_catalog")
    errors = check_pgvector(databases=["default"])
    assert [error.id for error in errors] == ["soundsite.E010"]
    assert "CREATE EXTENSION vector" in str(errors[0].hint)


@pytest.mark.django_db
def test_a_server_without_trigrams_is_an_error_that_says_what_to_install() -> None:
    assert check_trigrams(databases=["default"]) == []
    with connection.cursor() as cursor:
        for name in ("pg_extension", "pg_available_extensions"):
            cursor.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM pg_catalog.{name} LIMIT 0")
        cursor.execute("SET LOCAL search_path = pg_temp, pg_catalog")
    errors = check_trigrams(databases=["default"])
    assert [error.id for error in errors] == ["soundsite.E013"]
    assert "CREATE EXTENSION pg_trgm" in str(errors[0].hint)


def test_a_pgvector_that_cannot_go_on_looking_behind_filters_is_an_error() -> None:
    assert [error.id for error in _version_errors("0.7.4")] == ["soundsite.E012"]
    assert _version_errors("0.8.0") == []
    assert _version_errors("0.10.0") == []


def test_without_the_right_to_create_pgvector_migrate_says_what_an_administrator_must_run(
    other_database: OtherDatabase,
) -> None:
    refused = _manage(other_database, "migrate")
    assert refused.returncode != 0
    assert "soundsite.E011" in refused.stderr
    assert "CREATE EXTENSION vector" in refused.stderr

    other_database.as_administrator("CREATE EXTENSION vector")
    migrated = _manage(other_database, "migrate")
    assert migrated.returncode == 0, migrated.stderr


def _manage(database: OtherDatabase, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=False,
    )
