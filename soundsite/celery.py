"""The Celery application. `celery -A soundsite` finds it here."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soundsite.settings")

app = Celery("soundsite")
# Web servers answer in threads of their own: there, too, shared tasks belong to this application.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
