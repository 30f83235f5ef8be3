"""The WSGI application that gunicorn and runserver load."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soundsite.settings")

application = get_wsgi_application()
# `gunicorn --preload` forks its processes here: all that is loaded by now they share, as long as
# the garbage collector, which writes to what it looks at, leaves it alone.
import_module(settings.ROOT_URLCONF)
gc.freeze()
