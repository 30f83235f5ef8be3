"""Errors as `application/problem+json` (RFC 9457). Codes are stable, texts are not.

What concerns a file or a job has the codes and texts of `matcher.errors`, as on the pages; this
table holds what only a program can run into.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from matcher.errors import STATUSES, text_of

MEDIA_TYPE = "application/problem+json"
_FAILED_JOB = 409


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its HTTP status, and what a person is told."""

    status: int
    title: str | Promise
    detail: str | Promise


KINDS: dict[str, Kind] = {
    "unreadable": Kind(
        400,
        _("The request could not be read"),
        _("Its body is not of the form that its content type promises."),
    ),
    "not-authenticated": Kind(
        401,
        _("A valid token is needed"),
        _("Send Authorization: Bearer with a token that is neither revoked nor expired."),
    ),
    "scope-missing": Kind(
        403, _("The token may not do this"), _("It lacks the scope that this operation needs.")
    ),
    "not-found": Kind(
        404, _("There is no such thing"), _("It does not exist, was deleted, or is not yours.")
    ),
    "method-not-allowed": Kind(
        405, _("This method is not possible here"), _("The header Allow lists those that are.")
    ),
    "not-finished": Kind(
        409, _("The job has not ended yet"), _("Ask its job URL until its state is FINISHED.")
    ),
    "key-in-use": Kind(
        409,
        _("A request with this Idempotency-Key is under way"),
        _("Repeat it in a moment to get its answer."),
    ),
    "key-reused": Kind(
        422,
        _("The Idempotency-Key belongs to another request"),
        _("It was used for other content within the last 24 hours. Choose a new key."),
    ),
    "invalid": Kind(
        422, _("The request is not valid"), _("The member errors says what is wrong, and where.")
    ),
    "too-many-requests": Kind(
        429,
        _("Too many requests"),
        _("Wait for as many seconds as the header Retry-After says."),
    ),
    "internal-error": Kind(
        500,
        _("Something went wrong on our side"),
        _("An unexpected error stopped the request. It was noted for the administrators."),
    ),
    "database-away": Kind(
        503,
        _("The database is away for a moment"),
        _("Nothing of this request was kept. Wait for as many seconds as Retry-After says."),
    ),
}


class Refused(Exception):
    """A request that is answered by a problem; `more` are further members of it."""

    def __init__(self, code: str, *, failed_job: bool = False, **more: Any) -> None:
        self.code, self.failed_job, self.more = code, failed_job, more
        super().__init__(code)


def kind_of(code: str, *, failed_job: bool = False) -> Kind:
    """The kind of a code from either table."""
    if code in KINDS and not failed_job:
        return KINDS[code]
    text = text_of(code)
    status = _FAILED_JOB if failed_job else STATUSES.get(code, 422)
    return Kind(status, text.title, f"{text.sentence} {text.advice}")


def problem(
    request: HttpRequest, code: str, *, failed_job: bool = False, **more: Any
) -> JsonResponse:
    """The answer that says so. `type` leads to the paragraph about the code."""
    kind = kind_of(code, failed_job=failed_job)
    page = request.build_absolute_uri(reverse("api_problems"))
    members = {
        "type": f"{page}#{code}",
        "title": str(kind.title),
        "status": kind.status,
        "detail": str(kind.detail),
        "instance": request.get_full_path(),
        "code": code,
        **more,
    }
    response = JsonResponse(members, status=kind.status, content_type=MEDIA_TYPE)
    if kind.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Soundsite"'
    if code in ("not-finished", "key-in-use"):
        response["Retry-After"] = "1"
    return response
