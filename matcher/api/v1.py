"""Version 1 of the API: its operations, its errors, its document."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Swagger
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from matcher.api import asking, document, tracks, uploads, versions
from matcher.api.problems import Refused, problem
from matcher.api.shown import NAMESPACE
from matcher.errors import LoadError, UploadError

DESCRIPTION = """\
Which soundtrack of the catalogue does a piece of music sound like, where, and why?

Make a token on your account page and send it as `Authorization: Bearer …`. Errors are
`application/problem+json` with a stable `code`. Each answer says by `RateLimit` how many requests
are left. Repeat a POST safely with an `Idempotency-Key`.
"""


class Api(NinjaAPI):
    """With operation ids that are the names of their functions, and a completed document."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.view_func.__name__)

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        document.completed(schema)
        return schema


api = Api(
    title="Soundsite",
    version="1",
    description=DESCRIPTION,
    urls_namespace=NAMESPACE,
    docs=Swagger(settings={"deepLinking": True, "persistAuthorization": False}),
)
api.add_router("/uploads", uploads.router)
api.add_router("/tracks", tracks.router)
api.add_router("", asking.router)
api.add_router("/versions", versions.router)


@api.exception_handler(Refused)
def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return problem(request, error.code, failed_job=error.failed_job, **error.more)


@api.exception_handler(UploadError)
def upload_refused(request: HttpRequest, error: UploadError) -> HttpResponse:
    return problem(request, error.code)


@api.exception_handler(LoadError)
def load_refused(request: HttpRequest, error: LoadError) -> HttpResponse:
    return error.put_on(problem(request, error.code))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in error.errors
    ]
    if [(one["loc"], one["type"]) for one in error.errors] == [(("file", "audio"), "missing")]:
        return problem(request, "missing", errors=errors)
    return problem(request, "invalid", errors=errors)


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, _error: HttpError) -> HttpResponse:
    """Only the parser of bodies raises it: a body that is no JSON."""
    return problem(request, "unreadable")


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return problem(request, "too-large")


@api.exception_handler(Http404)
def not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
    return problem(request, "not-found")
