"""What is answered when something breaks: our mistake, or a database or store that is away."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.views import defaults

from matcher.api.middleware import PREFIX
from matcher.api.problems import problem
from tracks.outage import StoreAwayError, database_is_away

RETRY_SECONDS = 15


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`, for errors of views and of middleware alike.

    503 with `Retry-After` while the database or the media's store is away: a page made without
    them and without a session, or a problem for programs. Connections are checked before each
    request, so that the site goes on by itself once the database is back.
    """
    error = sys.exception()
    code = "storage-away" if isinstance(error, StoreAwayError) else "database-away"
    if code == "database-away" and not database_is_away(error):
        return defaults.server_error(request)
    if request.path_info.startswith(PREFIX):
        response: HttpResponse = problem(request, code)
    else:
        response = HttpResponse(render_to_string("503.html", {"code": code}), status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    add_never_cache_headers(response)
    return response
