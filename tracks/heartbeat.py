"""Says at a steady pace that a job is alive, whatever its own thread is busy with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from django.conf import settings
from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)


class Heartbeat:
    """Calls `beat` every HEARTBEAT_SECONDS inside the `with` block, from a thread of its own.

    Ends early when `beat` answers False: the job belongs to someone else, or is gone.
    """

    def __init__(self, beat: Callable[[], bool]) -> None:
        self._beat = beat
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        # A beat may wait for a lock; a late one is fenced by its attempt and changes nothing.
        self._thread.join(timeout=settings.HEARTBEAT_SECONDS)

    def _run(self) -> None:
        try:
            while not self._stop.wait(settings.HEARTBEAT_SECONDS) and self._alive():
                pass
        finally:
            connection.close()  # a thread has a connection of its own

    def _alive(self) -> bool:
        try:
            return self._beat()
        except DatabaseError as error:
            # Perhaps the database restarts: the next beat takes a new connection.
            logger.warning("A heartbeat was missed: %s", error)
            connection.close()
            return True
