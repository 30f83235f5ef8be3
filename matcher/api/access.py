"""Who may call an operation, and what each may answer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.security.base import AuthBase

from matcher.api import tokens
from matcher.api.models import Token
from matcher.api.problems import Refused
from matcher.api.schemas import Problem


class ApiRequest(HttpRequest):
    """A request as an operation sees it: of `auth.owner`, where a token is needed."""

    auth: Token
    api_token: Token | None


class BearerToken(AuthBase):
    """Lets in a valid token that has the scope. The middleware has looked it up already."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_description = "A token of your account page: `Authorization: Bearer …`"

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Token:
        token: Token | None = getattr(request, "api_token", None)
        if token is None:
            raise Refused("not-authenticated")
        if not tokens.may(token, self.scope):
            raise Refused("scope-missing", scope=self.scope)
        return token


def answers(status: int, body: Any, *problems: int) -> dict[int, Any]:
    """The `response` of an operation: what it gives, and the problems that it may answer with.

    401, 429 and 503 may come from every operation: a token that is sent must be valid, even where
    none is needed, and the database may be away.
    """
    return {status: body, **dict.fromkeys((401, *problems, 429, 503), Problem)}
