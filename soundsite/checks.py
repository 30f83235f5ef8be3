"""System checks: settings that contradict each other, a database without its extensions.

The ids are stable: soundsite.E001 and up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import connections

PGVECTOR = (0, 8, 0)  # the first whose HNSW index goes on looking where filters leave too few

# (id, what must hold, the sentence for when it does not)
RELATIONS: list[tuple[str, Callable[[Any], bool], str]] = [
    (
        "soundsite.E001",
        lambda s: 3 * s.HEARTBEAT_SECONDS <= s.HEARTBEAT_TIMEOUT_SECONDS,
        "HEARTBEAT_TIMEOUT_SECONDS must be at least three times HEARTBEAT_SECONDS, "
        "or one late heartbeat costs a job.",
    ),
    (
        "soundsite.E002",
        lambda s: s.HEARTBEAT_TIMEOUT_SECONDS + s.SWEEP_SECONDS < 60,
        "HEARTBEAT_TIMEOUT_SECONDS and SWEEP_SECONDS together must stay below 60, "
        "or a visitor whose worker died waits too long.",
    ),
    (
        "soundsite.E003",
        lambda s: s.MATCH_SOFT_LIMIT_SECONDS < s.MATCH_HARD_LIMIT_SECONDS,
        "MATCH_SOFT_LIMIT_SECONDS must be below MATCH_HARD_LIMIT_SECONDS, "
        "or a job is killed before it can say why it ends.",
    ),
    (
        "soundsite.E004",
        lambda s: s.MATCH_HARD_LIMIT_SECONDS < s.BROKER_VISIBILITY_SECONDS,
        "MATCH_HARD_LIMIT_SECONDS must be below BROKER_VISIBILITY_SECONDS, "
        "or the broker hands out a job that is still running.",
    ),
    (
        "soundsite.E005",
        lambda s: s.UPLOAD_MIN_SECONDS < s.UPLOAD_MAX_SECONDS,
        "UPLOAD_MIN_SECONDS must be below UPLOAD_MAX_SECONDS, or no upload is accepted.",
    ),
    (
        "soundsite.E006",
        lambda s: s.UPLOAD_MAX_BYTES <= s.UPLOADS_KEPT_BYTES,
        "UPLOAD_MAX_BYTES must not be above UPLOADS_KEPT_BYTES, "
        "or the largest file that is allowed is never taken.",
    ),
    (
        "soundsite.E007",
        lambda s: s.HTTPS_ONLY or not s.HSTS_SECONDS,
        "HSTS_SECONDS needs HTTPS_ONLY, or browsers are told of a rule that the site breaks.",
    ),
    (
        "soundsite.E008",
        lambda s: s.HSTS_SECONDS or not s.HSTS_PRELOAD,
        "HSTS_PRELOAD needs HSTS_SECONDS, or it says nothing.",
    ),
    (
        "soundsite.E009",
        lambda s: bool(s.MEDIA_S3_BUCKET) == bool(s.MEDIA_S3_ENDPOINT),
        "MEDIA_S3_BUCKET and MEDIA_S3_ENDPOINT are set together, or media have no place.",
    ),
    (
        "soundsite.E015",
        lambda s: bool(s.MEDIA_S3_KEY_ID) == bool(s.MEDIA_S3_SECRET),
        "MEDIA_S3_KEY_ID and MEDIA_S3_SECRET are set together: one is of no use alone.",
    ),
]


@register()
def check_relations(**_: Any) -> list[Error]:
    return [Error(sentence, id=name) for name, holds, sentence in RELATIONS if not holds(settings)]


@dataclass(frozen=True)
class Extension:
    """One of PostgreSQL's that the site needs.

    Attributes:
        name: as CREATE EXTENSION takes it.
        called: in sentences.
        package: of the PostgreSQL project that has it, for example.
        absent, forbidden: ids of the errors for a server and for a role without it.
    """

    name: str
    called: str
    package: str
    absent: str
    forbidden: str


VECTOR = Extension(
    "vector", "pgvector", "postgresql-17-pgvector", "soundsite.E010", "soundsite.E011"
)
TRIGRAMS = Extension("pg_trgm", "pg_trgm", "postgresql-contrib", "soundsite.E013", "soundsite.E014")


@register(Tags.database)
def check_pgvector(databases: Sequence[str] | None = None, **_: Any) -> list[Error]:
    """Run by `migrate` and by `check --database default`."""
    return [error for alias in databases or () for error in _pgvector_errors(alias)]


@register(Tags.database)
def check_trigrams(databases: Sequence[str] | None = None, **_: Any) -> list[Error]:
    """Run by `migrate` and by `check --database default`."""
    return [error for alias in databases or () for error in _found(alias, TRIGRAMS)[1]]


def _pgvector_errors(alias: str) -> list[Error]:
    version, errors = _found(alias, VECTOR)
    return _version_errors(version) if version else errors


def _found(alias: str, extension: Extension) -> tuple[str, list[Error]]:
    """The version that is there or that the role may create; or what stands against it."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = %s", [extension.name])
        if (row := cursor.fetchone()) is not None:
            return row[0], []
        cursor.execute("SELECT current_database()")
        database = cursor.fetchone()[0]
        cursor.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = %s", [extension.name]
        )
        if (row := cursor.fetchone()) is None:
            return "", [_not_there(extension, database)]
        cursor.execute(MAY_CREATE, [extension.name])
        if cursor.fetchone()[0]:
            return row[0], []
        return "", [_not_allowed(extension, database)]


# A superuser may, and so may who owns the right to create in the database if it is "trusted".
MAY_CREATE = """
    SELECT bool_or(
        NOT versions.superuser
        OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR versions.trusted AND has_database_privilege(current_database(), 'CREATE')
    )
    FROM pg_available_extension_versions AS versions WHERE versions.name = %s
"""


def _version_errors(found: str) -> list[Error]:
    if tuple(int(part) for part in found.split(".")) >= PGVECTOR:
        return []
    return [
        Error(
            f"The database has pgvector {found}; Soundsite needs 0.8 or later.",
            hint="An administrator of the database must install a later pgvector and run "
            "ALTER EXTENSION vector UPDATE.",
            id="soundsite.E012",
        )
    ]


def _not_there(extension: Extension, database: str) -> Error:
    return Error(
        f"The PostgreSQL server has no {extension.called}.",
        hint=f"An administrator must install it on the server (for example the package "
        f"{extension.package} of the PostgreSQL project) and then run CREATE EXTENSION "
        f'{extension.name} in the database "{database}".',
        id=extension.absent,
    )


def _not_allowed(extension: Extension, database: str) -> Error:
    return Error(
        f"The extension {extension.called} is not created in the database, and this role may not "
        "create it.",
        hint=f"A superuser must run CREATE EXTENSION {extension.name} in the database "
        f'"{database}" once.',
        id=extension.forbidden,
    )
