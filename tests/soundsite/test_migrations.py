"""Migrations run while the processes of the release before still work (docs/operations.md)."""

from __future__ import annotations

import pytest
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader

# Made before anything was released.
FIRST = {"tracks": 6, "matcher": 3, "api": 1}
# What the code of the release before reads or writes must stay; each needs a release between.
TAKES_AWAY = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.RenameModel,
    operations.AlterModelTable,
)

LATER = sorted(
    (app, name)
    for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    if app in FIRST and int(name[:4]) > FIRST[app]
)


@pytest.mark.parametrize(("app", "name"), LATER)
def test_a_migration_leaves_the_processes_that_still_run_what_they_use(app: str, name: str) -> None:
    migration = MigrationLoader(None, ignore_no_migrations=True).disk_migrations[app, name]
    for operation in migration.operations:
        assert not isinstance(operation, TAKES_AWAY), operation.describe()
        if isinstance(operation, operations.AddField):
            told = f"{operation.describe()}: rows of the old code do not name it"
            assert operation.field.null or operation.field.has_db_default(), told
