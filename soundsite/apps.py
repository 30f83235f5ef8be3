"""Registers the system checks."""

from __future__ import annotations

from django.apps import AppConfig


class SoundsiteConfig(AppConfig):
    name = "soundsite"

    def ready(self) -> None:
        # Tasks sent by the web process go through our application. Not in soundsite/__init__.py:
        # the launcher of the embedded servers runs where Celery is not installed yet.
        from soundsite import celery, checks, request_lines  # noqa: F401
