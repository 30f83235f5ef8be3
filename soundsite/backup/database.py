"""Every table by COPY: no program of PostgreSQL's is needed, and any server version will do."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from soundsite.backup.errors import BackupError

Models = dict[str, type[Model]]
SESSIONS: tuple[type[Model], ...] = (Session, UserSession)


def tables() -> Models:
    """The model of every table that is kept. Sessions are not: people sign in again."""
    models = apps.get_models(include_auto_created=True)
    kept = {m._meta.db_table: m for m in models if m._meta.managed and not m._meta.proxy}
    for model in SESSIONS:
        del kept[model._meta.db_table]
    return dict(sorted(kept.items()))


def migrations() -> list[str]:
    """The migrations that this release knows, as app.name."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return sorted(".".join(key) for key in loader.disk_migrations)


def check_migrated() -> None:
    applied = {".".join(key) for key in MigrationRecorder(connection).applied_migrations()}
    if lacking := sorted(set(migrations()) - applied):
        raise BackupError("backup-unmigrated", ", ".join(lacking))


@contextmanager
def snapshot() -> Iterator[Any]:
    """A cursor; all that is read while this lasts is of one moment, and nobody is held up."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # As pg_dump does: values that any server reads back as the very same.
        cursor.execute("SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 3")
        yield cursor


def server_versions(cursor: Any) -> dict[str, str]:
    cursor.execute(
        "SELECT current_setting('server_version'), extversion FROM pg_extension "
        "WHERE extname = 'vector'"
    )
    return dict(zip(("postgresql", "pgvector"), cursor.fetchone(), strict=True))


def dump(cursor: Any, model: type[Model], stream: IO[bytes]) -> int:
    """Writes the table's rows, compressed, and returns their number."""
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0) as packed:
        cursor.copy_expert(f"COPY {_columns(model)} TO STDOUT", packed)
    return int(cursor.rowcount)


def load(cursor: Any, model: type[Model], stream: IO[bytes]) -> int:
    """Reads back what `dump` wrote and returns the number of rows."""
    with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
        cursor.copy_expert(f"COPY {_columns(model)} FROM STDIN", unpacked)
    return int(cursor.rowcount)


def _columns(model: type[Model]) -> str:
    """The table with its columns in the order of the model, which migrations do not tell."""
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(str(field.column)) for field in model._meta.local_concrete_fields)
    return f"{quoted(model._meta.db_table)} ({names})"


def lock(cursor: Any) -> None:
    """Until the transaction ends, nobody else reads or writes any of the tables."""
    cursor.execute(f"LOCK TABLE {_all_tables()}")


def clear(cursor: Any) -> None:
    """Empties the tables of what a fresh installation holds, search indices included."""
    cursor.execute(f"TRUNCATE {_all_tables()}")
    for name in search_indices(cursor):
        cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")


def _all_tables() -> str:
    names = [*tables(), *(model._meta.db_table for model in SESSIONS)]
    return ", ".join(map(connection.ops.quote_name, names))


def search_indices(cursor: Any) -> set[str]:
    """The approximate indices of the model versions, which no migration makes."""
    cursor.execute(
        "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() "
        "AND tablename = 'tracks_indexentry' AND indexname ~ '^tracks_hnsw_[0-9]+$'"
    )
    return {name for (name,) in cursor.fetchall()}


def reset_sequences(cursor: Any) -> None:
    """New rows get ids after the restored ones."""
    for statement in connection.ops.sequence_reset_sql(no_style(), list(tables().values())):
        cursor.execute(statement)
