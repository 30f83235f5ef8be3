"""The Celery application. `celery -A soundsite` finds it here."""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from django_structlog.celery.steps import DjangoStructLogInitStep

from soundsite.embedded.child import die_with_owner

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soundsite.settings")
# Before NumPy is loaded: the products of a search are small, and OpenBLAS's threads only wait for
# each other where several processes share the cores (a search took 3.3 s with them, 0.8 s without).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = Celery("soundsite")
# Web servers answer in threads of their own: there, too, shared tasks belong to this application.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)

LISTENING_QUEUES = {"match", "index"}


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Workers and beat log as settings.LOGGING says; a receiver keeps Celery from changing it."""


@worker_process_init.connect
def prepare_process(**_: Any) -> None:
    """Before a pool process takes work: it dies with its worker, and has all that is loaded late.

    A job must not run on without a worker that could report it, nor wait longer than the next one.
    """
    die_with_owner(signal.SIGKILL)
    if LISTENING_QUEUES & set(app.amqp.queues.consume_from):
        from matcher import asking, matching  # noqa: F401  # the former for questions to come

        matching.warm_up()
