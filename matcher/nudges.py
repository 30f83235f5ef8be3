"""The message that wakes a worker. It carries an id and nothing else, and may be lost.

A worker that is woken claims the fairest waiting upload, not necessarily the one of the message:
what counts is that there are as many messages as waiting rows.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from celery import current_app
from kombu import Connection
from kombu.exceptions import OperationalError

from matcher.models import State, Upload
from tracks.nudge import impatient_connection

logger = logging.getLogger(__name__)

TASK = "matcher.tasks.match_upload"
QUEUE = "match"
_MOST_AT_ONCE = 1000


def send(upload_id: UUID) -> bool:
    """Wake a worker; False, and a line in the log, when the broker cannot be reached."""
    try:
        with impatient_connection() as connection:
            _publish(connection, upload_id)
    except (OperationalError, OSError) as error:
        logger.warning("no nudge for upload %s, the sweep will send it: %s", upload_id, error)
        return False
    return True


def send_missing() -> int:
    """Send as many nudges as there are waiting uploads without one; returns how many."""
    waiting = Upload.objects.filter(state=State.QUEUED).order_by("queued_at")
    ids = list(waiting.values_list("pk", flat=True)[:_MOST_AT_ONCE])
    if not ids:
        return 0
    with impatient_connection() as connection:
        missing = ids[: max(0, len(ids) - _unread(connection))]
        for upload_id in missing:
            _publish(connection, upload_id)
    return len(missing)


def _publish(connection: Connection, upload_id: UUID) -> None:
    current_app.send_task(TASK, args=[str(upload_id)], connection=connection, retry=False)


def _unread(connection: Connection) -> int:
    """How many nudges lie in the broker; a queue that was never used is not there yet."""
    channel: Any = connection.default_channel
    try:
        return int(channel.queue_declare(queue=QUEUE, passive=True).message_count)
    except connection.channel_errors:
        return 0
