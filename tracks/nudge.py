"""Sends a task once the transaction is through. The row is the truth, the message only a nudge."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu import Connection
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A request must not hang on a broker that is down: one try, a second at most. The defaults of
# Celery, kombu and redis-py retry for six.
IMPATIENT = {
    "max_retries": 0,
    "connect_retries_timeout": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
}


def impatient_connection() -> Connection:
    """To the broker, or an error within about a second."""
    return current_app.connection_for_write(transport_options=IMPATIENT)


def after_commit(task: str, *ids: int) -> None:
    """Sends the task of that name on commit; by name, so that services import no tasks."""
    transaction.on_commit(lambda: send(task, *ids))


def send(task: str, *ids: int) -> None:
    """Sends now. A broker that is down costs nothing but a second: the sweep nudges again."""
    try:
        with impatient_connection() as connection:
            current_app.send_task(task, args=ids, connection=connection, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("%s%r was not sent, the sweep will do it: %s", task, ids, error)
