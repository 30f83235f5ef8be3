"""What of a request may stand in the log: nothing that tells who asked for what."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django_structlog import signals

from tracks.outage import database_is_away


@receiver(
    [
        signals.bind_extra_request_metadata,
        signals.bind_extra_request_finished_metadata,
        signals.bind_extra_request_failed_metadata,
    ]
)
def keep_people_out(request: HttpRequest, log_kwargs: dict[str, Any], **_: Any) -> None:
    """The route instead of the address, which may hold a secret of a link or a person's words."""
    log_kwargs.pop("user_agent", None)
    log_kwargs["request"] = f"{request.method} {_route(request)}"


@receiver(signals.bind_extra_request_failed_metadata)
def say_an_outage_in_one_line(exception: Exception, log_kwargs: dict[str, Any], **_: Any) -> None:
    """Every request fails meanwhile, and none of their tracebacks tells more than this."""
    if database_is_away(exception):
        log_kwargs.update(code=503, error="the database is away", exc_info=False)


def _route(request: HttpRequest) -> str:
    try:
        return f"/{resolve(request.path_info).route}"
    except Resolver404:
        return "(no such page)"
