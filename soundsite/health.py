"""Whether this web process lives, and whether it can serve people."""

from __future__ import annotations

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from soundsite import broker
from tracks.selectors import active_version


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, 503 while it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "ok"})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 if requests may be sent here, else 503; in either case what stands against it.

    A broker that is away is told but no reason: uploads are taken, and begin once it is back.
    """
    try:
        reasons = {"database": "ok", "migrations": _migrations(), "model": _model()}
    except DatabaseError:
        reasons = {"database": "unreachable"}
    ready = set(reasons.values()) == {"ok"}
    reasons["broker"] = "unreachable" if broker.messages() is None else "ok"
    return JsonResponse({"ready": ready, **reasons}, status=200 if ready else 503)


def _migrations() -> str:
    missing = _missing_migrations()
    if missing:
        _missing_migrations.cache_clear()  # they may be applied at any time, but never taken back
    return f"{missing} not applied" if missing else "ok"


@cache
def _missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _model() -> str:
    return "ok" if active_version() else "none is active"
