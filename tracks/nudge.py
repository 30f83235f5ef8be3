"""Sends a task once the transaction is through. The row is the truth, the message only a nudge."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def after_commit(task: str, *ids: int) -> None:
    """Sends the task of that name on commit; by name, so that services import no tasks."""
    transaction.on_commit(lambda: send(task, *ids))


def send(task: str, *ids: int) -> None:
    """Sends now. A broker that is down costs nothing but time: the sweep nudges again."""
    try:
        current_app.send_task(task, args=ids)
    except OperationalError as error:
        logger.warning("%s%r was not sent, the sweep will do it: %s", task, ids, error)
