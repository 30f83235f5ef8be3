"""The two import rules of the design, and what the web processes share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LOADS_THE_WEB = """
import sys
import soundsite.wsgi
from django.contrib import admin
from django.core.management import get_commands, load_command_class
from django.urls import get_resolver
from soundsite.celery import app

def walk(patterns):
    for pattern in patterns:
        walk(getattr(pattern, "url_patterns", []))

walk(get_resolver().url_patterns)
assert admin.site._registry, "no admin module was loaded"
app.loader.import_default_modules()
assert "matcher.tasks.match_upload" in app.tasks, "no task module was loaded"
assert "tracks.tasks.index_entry" in app.tasks, "no task module was loaded"
heavy = {"tensorflow", "keras", "librosa", "numba", "sklearn", "ai_edge_litert"} & set(sys.modules)
sys.exit(f"the web process has imported {sorted(heavy)}" if heavy else 0)
"""

FORKS_THE_WEB = """
import gc, threading
import soundsite.wsgi
from django.db import connections

assert not [one for one in connections.all() if one.connection], "the database is connected"
assert threading.active_count() == 1, threading.enumerate()
assert gc.get_freeze_count() > 100_000, "what is shared would be written to"
"""


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "soundsite.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_web_process_never_imports_the_audio_and_learning_libraries() -> None:
    done = _python("-c", LOADS_THE_WEB)
    assert done.returncode == 0, done.stderr


def test_nothing_is_open_or_running_when_the_web_processes_are_forked() -> None:
    """They would share a connection, and a thread would be in none of them."""
    done = _python("-c", FORKS_THE_WEB)
    assert done.returncode == 0, done.stderr


def test_imports_run_one_way_and_ml_knows_no_django() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = _python("-c", program, "--no-cache")
    assert done.returncode == 0, done.stdout


def test_the_launchers_need_nothing_but_the_standard_library() -> None:
    """They run before anything is installed, by whatever Python the machine has."""
    modules = ("embedded.places", "embedded.postgres", "embedded.valkey", "onemachine.packages")
    program = "; ".join(f"import soundsite.{module}" for module in modules)
    done = _python("-S", "-c", program)
    assert done.returncode == 0, done.stderr
