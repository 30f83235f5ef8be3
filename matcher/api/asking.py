"""Questions without a file of their own: about an upload, or about tracks of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpResponse
from ninja import Router

from matcher import services
from matcher.api import schemas
from matcher.api.access import ApiRequest, answers
from matcher.api.idempotency import once
from matcher.api.problems import Refused
from matcher.api.tracks import TrackId, shown_track
from matcher.api.uploads import IdempotencyKey, accepted, matching, own
from matcher.models import Upload
from tracks.filters import Filters
from tracks.models import Track

router = Router(tags=["questions"])


@router.post(
    "/uploads/{upload_id}/ask",
    auth=matching,
    url_name="ask",
    summary="Ask again about an upload",
    response=answers(202, schemas.Job, 400, 403, 404, 409, 413, 422),
)
@once
def ask_upload(
    request: ApiRequest,
    upload_id: UUID,
    question: schemas.Question,
    idempotency_key: IdempotencyKey = "",
) -> HttpResponse:
    """Needs the scope `match`. About the whole upload or one stretch of it, with filters, or
    together with tracks of the catalogue. The answer is a new job, whose file is the upload's."""
    return _ask(request, question, own(request, upload_id), question.like, question.span)


@router.post(
    "/tracks/{track_id}/similar",
    auth=matching,
    url_name="similar",
    summary="Find what a track sounds like",
    response=answers(202, schemas.Job, 400, 403, 404, 409, 413, 422),
)
@once
def find_similar(
    request: ApiRequest,
    track_id: TrackId,
    question: schemas.Seeds,
    idempotency_key: IdempotencyKey = "",
) -> HttpResponse:
    """Needs the scope `match`. Further tracks to be like or unlike may be named."""
    shown_track(track_id)
    return _ask(request, question, None, [track_id, *question.like], None)


def _ask(
    request: ApiRequest,
    question: schemas.Seeds,
    parent: Upload | None,
    like: Sequence[int],
    span: Sequence[float] | None,
) -> HttpResponse:
    upload = services.ask(
        request.auth.owner,
        parent=parent,
        like=_tracks(like),
        unlike=_tracks(question.unlike),
        span=(span[0], span[1]) if span else None,
        filters=Filters(**question.filters.model_dump()),
    )
    return accepted(request, upload)


def _tracks(ids: Sequence[int]) -> list[Track]:
    """In their order, each once; not found where one is missing."""
    found = Track.objects.shown().in_bulk(list(ids))
    if missing := sorted(set(ids) - set(found)):
        raise Refused("not-found", tracks=missing)
    return [found[pk] for pk in dict.fromkeys(ids)]
