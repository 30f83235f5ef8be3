"""Static files travel compressed. Pages do not: their size would tell what is secret in them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressedStaticFiles(GZipMiddleware):
    """GZipMiddleware for what lies below STATIC_URL; stands before WhiteNoise, which serves it."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not request.path_info.startswith(settings.STATIC_URL):
            return response
        return super().process_response(request, response)
