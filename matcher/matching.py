"""From a file to the tracks it sounds like. Worker and commands only: this loads models.

The task and `manage.py match` share this one road, so that both give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.conf import settings

from matcher.errors import MatchError
from matcher.models import State
from ml import isolated
from ml.hearing import Heard, listen
from tracks import runtime, search
from tracks.models import ModelVersion

CLOSEST = 10


@dataclass(frozen=True)
class Answer:
    """What was found.

    Attributes:
        duration: of the query, in seconds.
        found: catalogue tracks, closest first.
        heard: what `jobs.finish` keeps of the query: its encoding, peaks and strip.
    """

    duration: float
    found: list[search.Found]
    heard: dict[str, bytes] = field(default_factory=dict)


def _nobody(_stage: State) -> None:
    """Tell nobody about the stages."""


def warm_up() -> None:
    """Answer some noise: the first visitor shall wait no longer than the others."""
    heard = runtime.warm_up()
    if heard is not None:
        search.nearest(*heard, k=CLOSEST)


def match_file(
    path: Path,
    version: ModelVersion | None,
    *,
    closest: int = CLOSEST,
    entering: Callable[[State], None] = _nobody,
) -> Answer:
    """Find the catalogue tracks that a file sounds like under one model version.

    Args:
        path: the audio file; its name plays no part.
        version: model version whose index is searched, None when there is none.
        closest: how many tracks are wanted.
        entering: called with each stage before it begins; what it raises ends the search.

    Raises:
        AudioError: the file cannot be used.
        ArtefactError: the model cannot be trusted or read.
        MatchError: `no-model` or `empty-catalogue`.
    """
    if version is None:
        raise MatchError("no-model", "no model version is active")
    heard = hear(path, version, entering=entering)
    entering(State.SEARCHING)
    found = search.nearest(version, heard.encoding, k=closest)
    if not found:
        raise MatchError("empty-catalogue", f"{version} has no indexed track")
    return Answer(heard.encoding.duration, list(found), heard.kept)


def hear(
    path: Path, version: ModelVersion, *, entering: Callable[[State], None] = _nobody
) -> Heard:
    """What one model version hears in a file.

    Raises:
        AudioError: the file cannot be used.
        ArtefactError: the model cannot be trusted or read.
    """
    waveform = isolated.decode(
        path,
        min_seconds=settings.UPLOAD_MIN_SECONDS,
        max_seconds=settings.UPLOAD_MAX_SECONDS,
    )
    entering(State.EXTRACTING)
    model = runtime.load(version)
    return listen(waveform, model, before_codes=partial(entering, State.ENCODING))
