"""Hears one track for one model version. Worker only."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from ml.errors import SoundError
from ml.hearing import listen
from tracks import runtime
from tracks.heartbeat import Heartbeat
from tracks.media import local_path
from tracks.models import IndexEntry
from tracks.outage import StoreAwayError, database_is_away
from tracks.probe import probe
from tracks.services import index

logger = logging.getLogger(__name__)


def index_next() -> bool:
    """Claims the oldest waiting entry and ends it as INDEXED or FAILED; False if none waits."""
    entry = index.claim()
    if entry is None:
        return False
    with Heartbeat(partial(index.beat, entry)):
        try:
            heard = _heard(entry)
        except SoundError as error:
            logger.info("Entry %s failed: %s", entry.pk, error)
            index.fail(entry, error.code, error.detail)
        except SoftTimeLimitExceeded:
            index.fail(entry, "time-limit", "The time limit of the task passed.")
        except FileNotFoundError:
            index.fail(entry, "file-missing", "The stored audio file is gone.")
        except StoreAwayError as error:
            return _left(entry, error)
        except Exception as error:  # one track must never stop the others
            if database_is_away(error):  # nothing can be written: the sweep revives the entry
                raise
            logger.exception("Entry %s failed", entry.pk)
            index.fail(entry, "internal", type(error).__name__)
        else:
            index.complete(entry, **heard)
    return True


def _left(entry: IndexEntry, error: StoreAwayError) -> bool:
    """Says that none is worth claiming just now; the sweep revives this one, or it is FAILED."""
    logger.warning("Entry %s was left: %s", entry.pk, error)
    if entry.losses + 1 >= settings.MAX_ATTEMPTS:
        index.fail(entry, "file-unreachable", str(error))
    return False


def _heard(entry: IndexEntry) -> dict[str, Any]:
    """What `index.complete` keeps of the track, as the entry's own version hears it."""
    model = runtime.load(entry.model_version)
    with local_path(entry.track.audio) as path:
        waveform = probe(path)
    heard = listen(waveform, model)
    return {
        **heard.kept,
        "embedding": heard.encoding.embedding.tolist(),
        "duration": heard.encoding.duration,
        "tempo": heard.encoding.facts.get("tempo") or None,
    }
