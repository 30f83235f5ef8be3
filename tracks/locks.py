"""One worker at a time, by a lock that dies with its connection: nobody has to break it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(namespace: int, key: int) -> Iterator[bool]:
    """Whether nobody else holds the lock, which is the caller's until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [namespace, key])
        free = cursor.fetchone()[0]
        try:
            yield free
        finally:
            if free:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [namespace, key])
