"""Pictures that are kept in the database, as a browser asks for them."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response


def picture_response(
    request: HttpRequest, png: bytes | memoryview | None, *, cache: str
) -> HttpResponseBase:
    """The PNG, or 304 for a browser that has it.

    Args:
        png: as its column has it.
        cache: the header Cache-Control.

    Raises:
        Http404: there is none.
    """
    if not png:
        raise Http404("there is no such picture")
    content = bytes(png)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": cache, "ETag": etag, "X-Content-Type-Options": "nosniff"}
    response = HttpResponse(content, content_type="image/png", headers=headers)
    return get_conditional_response(request, etag=etag, response=response) or response
