"""What the broker tells of itself: messages by queue, and the workers that answer. Never waits."""

from __future__ import annotations

import logging
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from tracks.nudge import impatient_connection

logger = logging.getLogger(__name__)

QUEUES = ("match", "index", "train", "maintenance")
PATIENCE_SECONDS = 0.5
# All of it is waited for, since nobody knows how many workers there are: never in a page itself.
PING_SECONDS = 1.0


def messages() -> dict[str, int] | None:
    """How many messages lie in each queue; None when the broker does not answer."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=PATIENCE_SECONDS,
            socket_timeout=PATIENCE_SECONDS,
        ) as broker:
            pipeline = broker.pipeline(transaction=False)
            for queue in QUEUES:
                pipeline.llen(queue)
            return dict(zip(QUEUES, pipeline.execute(), strict=True))
    except redis.RedisError as error:
        logger.warning("the broker does not answer: %s", error)
        return None


def workers() -> dict[str, int] | None:
    """How many workers of each queue are alive, by asking them; None without a broker.

    Heartbeats in the database would only tell of workers that have a job in hand; an idle one
    must answer itself, which it does beside any job.
    """
    try:
        with impatient_connection() as connection:
            inspect = current_app.control.inspect(timeout=PING_SECONDS, connection=connection)
            answers: dict[str, Any] = inspect.active_queues() or {}
    except (OperationalError, OSError) as error:
        logger.warning("the workers cannot be asked: %s", error)
        return None
    served = [queue["name"] for queues in answers.values() for queue in queues]
    return {queue: served.count(queue) for queue in QUEUES}
