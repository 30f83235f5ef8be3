"""The OpenAPI document: what django-ninja knows, and what the middleware adds to each answer."""

from __future__ import annotations

from typing import Any

from matcher.api.problems import MEDIA_TYPE

_TEXT = {"type": "string"}
HEADERS: dict[str, Any] = {
    "RateLimit": {"schema": _TEXT, "description": "requests left, and seconds until all are"},
    "RateLimit-Policy": {"schema": _TEXT, "description": "requests in a window of seconds"},
}
_LOCATION = {"Location": {"schema": _TEXT, "required": True, "description": "the job's URL"}}
_RETRY_AFTER = {
    "Retry-After": {"schema": {"type": "integer"}, "required": True, "description": "seconds"}
}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Media types of problems and the headers of all answers, written into the document."""
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                _complete(int(status), answer)
    return document


def _complete(status: int, answer: dict[str, Any]) -> None:
    answer["headers"] = dict(HEADERS)
    if status == 202:
        answer["headers"] |= _LOCATION
    if status in (429, 503):
        answer["headers"] |= _RETRY_AFTER
    if status >= 400 and "content" in answer:
        answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
