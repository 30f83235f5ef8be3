"""/uploads: send a file in, follow its job, read the result, delete it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from ninja import File, Header, Router
from ninja.responses import Response

from matcher import services
from matcher.api import schemas, shown
from matcher.api.access import ApiRequest, BearerToken, answers
from matcher.api.idempotency import HEADER, LONGEST, once
from matcher.api.models import Scope
from matcher.api.paging import PageNumber, paged
from matcher.api.problems import Refused
from matcher.models import State, Upload
from matcher.selectors import BULKY_OF_VERSION, upload_of, uploads_of

router = Router(tags=["uploads"])
reading = BearerToken(Scope.READ)
matching = BearerToken(Scope.MATCH)

IdempotencyKey = Annotated[
    str,
    Header(
        alias=HEADER,
        max_length=LONGEST,
        pattern="^[!-~]*$",
        description="any word of your choice: repeating the request with it does nothing twice",
    ),
]


def own(request: ApiRequest, upload_id: UUID) -> Upload:
    """An upload of the token's owner; anybody else's is not found."""
    try:
        return upload_of(request.auth.owner, upload_id)
    except Upload.DoesNotExist as error:
        raise Refused("not-found") from error


def accepted(request: ApiRequest, upload: Upload) -> HttpResponse:
    """202, with the job that answers it."""
    response = Response(shown.job(request, upload).model_dump(), status=202)
    response["Location"] = shown.job_url(request, upload)
    return response


@router.post(
    "",
    auth=matching,
    url_name="uploads",
    summary="Send a file in",
    response=answers(202, schemas.Job, 400, 403, 409, 413, 422),
)
@once
def send_upload(
    request: ApiRequest, audio: File[schemas.AudioFile], idempotency_key: IdempotencyKey = ""
) -> HttpResponse:
    """Needs the scope `match`. The file is kept and its job waits for a worker: ask the job URL
    until it has ended.

    What is sent is judged by its content, never by its name. A file that turns out to be no
    audio, too short or silent ends its job with the state FAILED and a code.
    """
    upload = services.create_upload(request.auth.owner, audio)
    return accepted(request, upload)


@router.get(
    "",
    auth=reading,
    url_name="uploads",
    summary="List your uploads",
    response=answers(200, schemas.Jobs, 403, 422),
)
def list_uploads(request: ApiRequest, page: PageNumber = 1) -> schemas.Jobs:
    """Needs the scope `read`. Newest first, questions without a file among them."""
    mine = uploads_of(request.auth.owner).prefetch_related(None).select_related("model_version")
    rows, told = paged(mine.defer(*Upload.BULKY, *BULKY_OF_VERSION), page)
    return schemas.Jobs(items=[shown.job(request, row) for row in rows], **told)


@router.get(
    "/{upload_id}",
    auth=reading,
    url_name="upload",
    summary="Follow a job",
    response=answers(200, schemas.Job, 403, 404, 422),
)
def get_upload(request: ApiRequest, upload_id: UUID) -> schemas.Job:
    """Needs the scope `read`. Its state, its stages, its place in the queue."""
    return shown.job(request, own(request, upload_id))


@router.delete(
    "/{upload_id}",
    auth=matching,
    url_name="upload",
    summary="Delete an upload",
    response=answers(204, None, 403, 404, 422),
)
def delete_upload(request: ApiRequest, upload_id: UUID) -> HttpResponse:
    """Needs the scope `match`. Its file, its answer and the questions about it go too; a job under
    way stops."""
    services.delete_upload(own(request, upload_id))
    return HttpResponse(status=204)


@router.get(
    "/{upload_id}/result",
    auth=reading,
    url_name="result",
    summary="Read the result",
    response=answers(200, schemas.Result, 403, 404, 409, 422),
)
def get_result(request: ApiRequest, upload_id: UUID) -> schemas.Result:
    """Needs the scope `read`. The closest tracks, or 409: with `not-finished` before the job
    has ended, with the code of its failure if it has failed."""
    upload = own(request, upload_id)
    if upload.state == State.FAILED:
        raise Refused(upload.error_code, failed_job=True)
    if upload.state != State.FINISHED:
        raise Refused("not-finished")
    return shown.result(request, upload)
