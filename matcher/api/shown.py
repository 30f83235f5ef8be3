"""Rows as the API tells them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from matcher import selectors, waits, wording
from matcher.api import schemas
from matcher.errors import can_be_tried_again, text_of
from matcher.models import ENDED, Match, State, Upload
from matcher.views import STAGES
from tracks import models as catalogue

NAMESPACE = "api-v1"


def absolute(request: HttpRequest, name: str, *arguments: object) -> str:
    return request.build_absolute_uri(reverse(name, args=arguments))


def job_url(request: HttpRequest, upload: Upload) -> str:
    return absolute(request, f"{NAMESPACE}:upload", upload.pk)


def job(request: HttpRequest, upload: Upload) -> schemas.Job:
    finished = upload.state == State.FINISHED
    place = waits.place_of(upload)
    return schemas.Job(
        id=upload.pk,
        url=job_url(request, upload),
        result_url=absolute(request, f"{NAMESPACE}:result", upload.pk) if finished else None,
        page_url=request.build_absolute_uri(upload.get_absolute_url()),
        state=State(upload.state),
        ended=upload.ended,
        position=place.before + 1 if place else None,
        wait_seconds=round(place.seconds) if place and place.seconds is not None else None,
        stages=_stages(upload),
        failure=_failure(upload),
        name=upload.original_name,
        size=upload.size,
        duration=upload.duration,
        parent=upload.parent_id,
        question=upload.question,
        model_version=upload.model_version.name if upload.model_version else None,
        created_at=upload.created_at,
        queued_at=upload.queued_at,
        started_at=upload.started_at,
        finished_at=upload.finished_at,
    )


def _stages(upload: Upload) -> list[schemas.Stage]:
    """Of a failed job nothing: the row does not keep in which stage it failed."""
    if upload.state == State.FAILED:
        return []
    ended = upload.state in ENDED
    current = len(STAGES) if ended else STAGES.index(State(upload.state))
    entered = {State.QUEUED: upload.queued_at}
    if upload.state != State.QUEUED:
        entered[State.DECODING] = upload.started_at or upload.queued_at
    return [
        schemas.Stage(
            state=stage,
            label=str(stage.label),
            status="done" if place < current else "now" if place == current else "later",
            entered_at=entered.get(stage),
        )
        for place, stage in enumerate(STAGES)
    ]


def _failure(upload: Upload) -> schemas.Failure | None:
    if not upload.error_code:
        return None
    text = text_of(upload.error_code)
    return schemas.Failure(
        code=upload.error_code,
        title=str(text.title),
        detail=str(text.sentence),
        advice=str(text.advice),
        can_be_tried_again=can_be_tried_again(upload.error_code),
    )


def track(request: HttpRequest, row: catalogue.Track) -> schemas.Track:
    fields = ("title", "artist", "soundtrack", "genre", "year", "licence", "source", "source_url")
    return schemas.Track(
        id=row.pk,
        **{name: getattr(row, name) for name in fields},
        duration=row.duration,
        url=absolute(request, f"{NAMESPACE}:track", row.pk),
        page_url=request.build_absolute_uri(row.get_absolute_url()),
        audio_url=absolute(request, "tracks:audio", row.pk),
    )


def result(request: HttpRequest, upload: Upload) -> schemas.Result:
    """Of a finished upload."""
    assert upload.duration is not None
    assert upload.model_version is not None
    return schemas.Result(
        job_url=job_url(request, upload),
        name=upload.original_name,
        duration=upload.duration,
        model_version=upload.model_version.name,
        matches=[_match(request, match) for match in selectors.matches_of(upload)],
    )


def _match(request: HttpRequest, row: Match) -> schemas.Match:
    grade = wording.grade(row.score, same_recording=row.same_recording, rank=row.rank)
    return schemas.Match(
        rank=row.rank,
        track=track(request, row.track),
        score=row.score,
        grade=str(grade),
        same_recording=row.same_recording,
        distance=row.distance,
        spans=[schemas.Span(**span) for span in row.spans],
        reasons=[_reason(reason) for reason in row.reasons],
    )


def _reason(numbers: dict[str, Any]) -> schemas.Reason:
    return schemas.Reason(text=str(wording.reason(numbers)), **numbers)
