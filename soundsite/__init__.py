"""Wiring: settings, URLs, Celery, system checks and the embedded servers."""
