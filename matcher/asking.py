"""Answers a question that has no file of its own. Worker only: a model is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from django.core.files.storage import default_storage

from matcher.errors import MatchError
from matcher.jobs import JobLost
from matcher.matching import CLOSEST, Answer, hear
from matcher.models import State, Upload
from matcher.questions import Question, Span, check_span, question_of, within
from ml import alignment
from ml.encoding import Encoding
from tracks import runtime, search
from tracks.media import local_path
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.selectors import heard_entries

PICTURES = ("peaks", "strip")
Entering = Callable[[State], None]


@dataclass(frozen=True)
class Sound:
    """A piece that is asked about.

    Attributes:
        encoding: of the whole piece.
        pictures: its peaks and strip, as far as there are any.
    """

    encoding: Encoding
    pictures: Mapping[str, bytes]


def answer(upload: Upload, *, entering: Entering) -> Answer:
    """Find the tracks that a claimed question asks for, under the version that it was pinned to.

    Args:
        entering: called with each stage before it begins; what it raises ends the search.

    Raises:
        JobLost: the upload that it is about was deleted, and the question with it.
        MatchError: no-model, file-missing, seeds-gone, seeds-unheard, nothing-fits or
            empty-catalogue.
        UploadError: bad-span or short-span, where nobody knew before how long the upload is.
        AudioError, ArtefactError: as for an upload with a file.
    """
    version, question = upload.model_version, question_of(upload)
    if version is None:
        raise MatchError("no-model", "no model version is active")
    own = _own(upload.parent_id, version, entering) if upload.parent_id else None
    if own is None:
        _hurry(entering)
    seeds = _seeds(version, question, alone=own is None)
    found = _found(version, question, own, seeds)
    if not found:
        code = "empty-catalogue" if question.filters.empty else "nothing-fits"
        raise MatchError(code, f"{version} has no indexed track that fits")
    shown = own or seeds[next(pk for pk in question.like if pk in seeds)]
    return Answer(shown.encoding.duration, found, dict(shown.pictures))


def _hurry(entering: Entering) -> None:
    """Nothing is left to be opened or listened to."""
    for stage in (State.EXTRACTING, State.ENCODING, State.SEARCHING):
        entering(stage)


def _own(upload_id: UUID, version: ModelVersion, entering: Entering) -> Sound:
    """What the version heard in the upload that the question is about, or hears now."""
    parent = Upload.objects.filter(pk=upload_id).first()
    if parent is None:
        raise JobLost(f"upload {upload_id} was deleted")
    if parent.encoding and parent.model_version_id == version.pk:
        _hurry(entering)
        return Sound(Encoding.from_bytes(bytes(parent.encoding)), _pictures(parent))
    if not default_storage.exists(str(parent.audio)):
        raise MatchError("file-missing", f"{parent.audio} is not in the storage")
    with local_path(parent.audio) as path:
        heard = hear(path, version, entering=entering)
    entering(State.SEARCHING)
    pictures = {name: heard.kept[name] for name in PICTURES if name in heard.kept}
    return Sound(heard.encoding, pictures)


def _pictures(row: Upload | IndexEntry) -> dict[str, bytes]:
    kept = {name: getattr(row, name) for name in PICTURES}
    return {name: bytes(picture) for name, picture in kept.items() if picture}


def _seeds(version: ModelVersion, question: Question, *, alone: bool) -> dict[int, Sound]:
    """What the version heard in the tracks of the question that are still there, by their id.

    Args:
        alone: nothing but tracks is asked about, so that one to be like must be left.
    """
    there = set(Track.objects.shown().filter(pk__in=question.seeds).values_list("pk", flat=True))
    if alone and not there & set(question.like):
        raise MatchError("seeds-gone", f"of tracks {question.like} none is left")
    entries = heard_entries(version).filter(track__in=there)
    seeds = {
        entry.track_id: Sound(Encoding.from_bytes(entry.heard), _pictures(entry))
        for entry in entries.defer("embedding")
    }
    if unheard := there - set(seeds):
        raise MatchError("seeds-unheard", f"{version} has not heard tracks {sorted(unheard)}")
    return seeds


def _found(
    version: ModelVersion, question: Question, own: Sound | None, seeds: Mapping[int, Sound]
) -> list[search.Found]:
    likes = [seeds[pk].encoding for pk in question.like if pk in seeds]
    unlikes = [seeds[pk].encoding for pk in question.unlike if pk in seeds]
    if own is not None:
        likes.insert(0, _asked_part(version, own.encoding, question.span))
    if len(likes) > 1 or unlikes:
        return search.nearest_to_several(
            version, likes, unlikes, k=CLOSEST, without=set(seeds), filters=question.filters
        )
    exclude = Track.objects.filter(pk__in=seeds).first() if seeds else None
    found = search.nearest(version, likes[0], k=CLOSEST, exclude=exclude, filters=question.filters)
    return _of_the_whole(found, question.span)


def _asked_part(version: ModelVersion, whole: Encoding, span: Span | None) -> Encoding:
    if span is None:
        return whole
    check_span(span, whole.duration)
    return runtime.load(version).part(whole, *within(span, whole.duration))


def _of_the_whole(found: Sequence[search.Found], span: Span | None) -> list[search.Found]:
    """Spans in seconds of the whole upload, of which only a stretch was asked about."""
    later = partial(_later, seconds=span[0] if span else 0.0)
    return [replace(one, spans=tuple(map(later, one.spans))) for one in found]


def _later(span: alignment.Span, seconds: float) -> alignment.Span:
    return replace(span, query_start=span.query_start + seconds, query_end=span.query_end + seconds)
