"""The jobs that workers run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.storage import default_storage
from kombu.exceptions import OperationalError
from structlog.contextvars import bound_contextvars, unbind_contextvars

from matcher import jobs, notices, nudges, retention
from matcher.errors import MatchError
from matcher.models import Upload
from ml.errors import SoundError
from tracks.heartbeat import Heartbeat
from tracks.media import local_path
from tracks.outage import StoreAwayError, database_is_away

if TYPE_CHECKING:
    from matcher.matching import Answer

logger = logging.getLogger(__name__)


@shared_task(
    name=nudges.TASK,
    soft_time_limit=settings.MATCH_SOFT_LIMIT_SECONDS,
    time_limit=settings.MATCH_HARD_LIMIT_SECONDS,
)
def match_upload(upload_id: str) -> None:
    """Claim the fairest waiting upload, whichever the message named, and answer it."""
    upload = jobs.claim()
    if upload is None:
        return
    with _named_in_the_log(upload, upload_id):
        logger.info("upload %s was claimed in attempt %d", upload.pk, upload.attempt)
        with Heartbeat(partial(jobs.beat, upload.pk, upload.attempt)):
            run(upload)


@contextmanager
def _named_in_the_log(upload: Upload, message_id: str) -> Iterator[None]:
    """Every line has the job's id; that of the request only if it sent this very job."""
    if str(upload.pk) != message_id:
        unbind_contextvars("request_id")
    with bound_contextvars(upload_id=str(upload.pk), attempt=upload.attempt):
        yield


def run(upload: Upload) -> None:
    """Answer a claimed upload, or end it with the code of what went wrong."""
    try:
        _answer(upload)
    except jobs.JobLost as lost:
        logger.info("stopped: %s", lost)
    except SoundError as error:
        if jobs.fail(upload, error.code, error.detail):
            logger.info("upload %s failed: %s", upload.pk, error)
    except SoftTimeLimitExceeded:
        logger.warning("upload %s was stopped at its time limit in %s", upload.pk, upload.state)
        jobs.fail(upload, "time-limit", f"stopped in {upload.state}")
    except StoreAwayError as error:
        if upload.attempts_left:  # the sweep gives the job back
            logger.warning("upload %s was left in %s: %s", upload.pk, upload.state, error)
        else:
            jobs.fail(upload, "file-unreachable", str(error))
    except Exception as error:
        if database_is_away(error):  # nothing can be written: the sweep gives the job back
            logger.warning("upload %s was left in %s: %s", upload.pk, upload.state, error)
            return
        logger.exception("upload %s failed in %s", upload.pk, upload.state)
        jobs.fail(upload, "internal", f"{type(error).__name__}: {error}")


def _answer(upload: Upload) -> None:
    answer = _about_a_file(upload) if upload.audio else _about_others(upload)
    jobs.finish(upload, answer.found, duration=answer.duration, **answer.heard)


def _about_a_file(upload: Upload) -> Answer:
    from matcher.matching import match_file  # here, not above: it loads models

    if not default_storage.exists(str(upload.audio)):
        raise MatchError("file-missing", f"{upload.audio} is not in the storage")
    with local_path(upload.audio) as path:
        return match_file(path, upload.model_version, entering=partial(jobs.advance, upload))


def _about_others(upload: Upload) -> Answer:
    from matcher import asking  # here, not above: it loads models, too

    return asking.answer(upload, entering=partial(jobs.advance, upload))


@shared_task(name="matcher.tasks.sweep_uploads")
def sweep_uploads() -> None:
    """Take jobs from workers that fell silent, and nudge for whatever waits without a message."""
    jobs.give_back_silent()
    try:
        nudges.send_missing()
    except (OperationalError, OSError) as error:
        logger.warning("waiting uploads could not be nudged: %s", error)


@shared_task(name="matcher.tasks.send_notices")
def send_notices() -> None:
    """Write to those who wished to be told of the end of a long wait."""
    notices.send_due()


@shared_task(name="matcher.tasks.delete_expired")
def delete_expired() -> None:
    """Delete uploads whose time is over."""
    retention.delete_expired()
