"""Tells a database or a store that is away from one that refuses what we ask of it."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

# Of PostgreSQL: connection exceptions; too many connections; it shuts down, crashed or starts.
_AWAY = ("08", "53300", "57P01", "57P02", "57P03")


class StoreAwayError(OSError):
    """The store of the media does not answer, or answers that it cannot; what it holds is kept."""


def database_is_away(error: BaseException | None) -> bool:
    """Whether the same may well succeed later: the server stopped, restarts, is unreachable.

    A deadlock, a time limit or a broken rule is an answer of a database that is there.
    """
    if isinstance(error, InterfaceError):  # the connection was lost before
        return True
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "pgcode", None)
    return code is None or code.startswith(_AWAY)
