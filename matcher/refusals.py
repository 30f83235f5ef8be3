"""What a page says when there is too much already."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from matcher.errors import STATUSES, LoadError, text_of

View = Callable[..., HttpResponseBase]


def told_of_load(view: View) -> View:
    """For views that add a job: a LoadError becomes a page, with Retry-After where it helps."""

    @wraps(view)
    def asked(request: HttpRequest, **arguments: object) -> HttpResponseBase:
        try:
            return view(request, **arguments)
        except LoadError as error:
            status = STATUSES[error.code]
            context = {"text": text_of(error.code), "status": status}
            return error.put_on(render(request, "matcher/refused.html", context, status=status))

    return asked
