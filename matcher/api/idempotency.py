"""A POST with an Idempotency-Key happens once, however often it is sent (within a day).

The key is locked while the request is under way, and its answer is written in the transaction
that does the work: either both are there afterwards or neither is.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.core.files import File
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from matcher.api.access import ApiRequest
from matcher.api.models import KeptAnswer, Token
from matcher.api.problems import Refused

KEPT = timedelta(hours=24)
LONGEST = 255
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

Operation = Callable[..., HttpResponse]


def once(operation: Operation) -> Operation:
    """Decorates an operation that answers with a whole HttpResponse.

    Only what was accepted is kept: an error leaves the key free.

    Raises:
        Refused: `key-in-use` while the first such request is under way, `key-reused` for a
            request that differs from the first one.
    """

    @wraps(operation)
    def run(request: ApiRequest, *args: Any, **values: Any) -> HttpResponse:
        key = request.headers.get(HEADER)
        if not key:
            return operation(request, *args, **values)
        asked = fingerprint(request)
        with transaction.atomic():
            _lock(request.auth, key)
            kept = _kept(request.auth, key)
            if kept is not None:
                return _replay(kept, asked)
            response = operation(request, *args, **values)
            _keep(request.auth, key, asked, response)
        return response

    # django-ninja looks the names of annotations up in this module, not in the operation's.
    run.__signature__ = inspect.signature(operation, eval_str=True)  # type: ignore[attr-defined]
    return run


def fingerprint(request: HttpRequest) -> str:
    """SHA-256 of what is asked. Of a form its fields and files: its boundary is chosen anew by
    whoever sends it again."""
    told = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        told.update(request.body)
        return told.hexdigest()
    for name, values in sorted(request.POST.lists()):
        told.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            told.update(repr((name, file.name, _sha256(file))).encode())
    return told.hexdigest()


def _sha256(file: File[bytes]) -> str:
    told = hashlib.sha256()
    for chunk in file.chunks():
        told.update(chunk)
    return told.hexdigest()


def _lock(token: Token, key: str) -> None:
    """Until the transaction ends, no other request has this key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_number(token, key)])
        if not cursor.fetchone()[0]:
            raise Refused("key-in-use")


def lock_number(token: Token, key: str) -> int:
    """The number of PostgreSQL's lock for this key: 64 bits that look random."""
    number = hashlib.sha256(f"api {token.pk} {key}".encode()).digest()[:8]
    return int.from_bytes(number, "big", signed=True)


def _kept(token: Token, key: str) -> KeptAnswer | None:
    KeptAnswer.objects.filter(token=token, key=key, created_at__lt=timezone.now() - KEPT).delete()
    return KeptAnswer.objects.filter(token=token, key=key).first()


def _replay(kept: KeptAnswer, asked: str) -> HttpResponse:
    if kept.request_sha256 != asked:
        raise Refused("key-reused")
    response = HttpResponse(kept.body, status=kept.status, content_type="application/json")
    response[REPLAYED] = "true"
    if kept.location:
        response["Location"] = kept.location
    return response


def _keep(token: Token, key: str, asked: str, response: HttpResponse) -> None:
    KeptAnswer.objects.create(
        token=token,
        key=key,
        request_sha256=asked,
        status=response.status_code,
        location=response.get("Location", ""),
        body=response.content.decode(),
    )
