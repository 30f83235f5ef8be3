"""Hears one track for one model version. Worker only."""

from __future__ import annotations

import logging
from functools import partial

from celery.exceptions import SoftTimeLimitExceeded

from ml.encoding import Encoding
from ml.errors import SoundError
from tracks import runtime
from tracks.heartbeat import Heartbeat
from tracks.media import local_path
from tracks.models import IndexEntry
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
            encoding = _heard(entry)
        except SoundError as error:
            logger.info("Entry %s failed: %s", entry.pk, error)
            index.fail(entry, error.code, error.detail)
        except SoftTimeLimitExceeded:
            index.fail(entry, "time-limit", "The time limit of the task passed.")
        except FileNotFoundError:
            index.fail(entry, "file-missing", "The stored audio file is gone.")
        except Exception as error:  # one track must never stop the others
            logger.exception("Entry %s failed", entry.pk)
            index.fail(entry, "internal", type(error).__name__)
        else:
            _keep(entry, encoding)
    return True


def _heard(entry: IndexEntry) -> Encoding:
    """The track's codes and embedding by the entry's own version."""
    model = runtime.load(entry.model_version)
    with local_path(entry.track.audio) as path:
        waveform = probe(path)
    return model.encode(model.features(waveform))


def _keep(entry: IndexEntry, encoding: Encoding) -> None:
    index.complete(
        entry,
        embedding=encoding.embedding.tolist(),
        encoding=encoding.to_bytes(),
        duration=encoding.duration,
    )
