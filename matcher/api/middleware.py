"""What every request under /api/ goes through: its token, its allowance, one form of error."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from matcher.api import rates, tokens
from matcher.api.models import Token
from matcher.api.problems import MEDIA_TYPE, problem
from matcher.taking import is_too_long, read_and_forget

PREFIX = "/api/"
_CODES = {400: "unreadable", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def api_middleware(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        return _answer(request, get_response)

    return middleware


def _answer(request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    secret = _secret(request)
    token = tokens.find(secret) if secret else None
    request.api_token = token  # type: ignore[attr-defined]
    allowance = rates.spend(token, _address(request))
    if not allowance.granted:
        response: HttpResponseBase = problem(request, "too-many-requests")
    elif secret is not None and token is None:
        response = problem(request, "not-authenticated")
    elif is_too_long(request):
        response = _too_long(request, token)
    else:
        response = _as_problem(request, get_response(request))
    for name, value in allowance.headers().items():
        response[name] = value
    patch_vary_headers(response, ["Authorization"])
    patch_cache_control(response, no_store=True)
    return response


def _address(request: HttpRequest) -> str:
    """Where a request comes from, by the word of TRUSTED_PROXIES where there are some. Of an IPv6
    address only its network: whoever has one address there has them all."""
    try:
        address: str = get_adapter().get_client_ip(request)
    except PermissionDenied:  # none that it could tell, such as behind a Unix socket
        return ""
    if ":" not in address:
        return address
    return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)


def _secret(request: HttpRequest) -> str | None:
    """What the header Authorization holds; empty for another scheme, None without the header."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _too_long(request: HttpRequest, token: Token | None) -> HttpResponseBase:
    """Read to its end for those whom we know, who could not see our answer otherwise."""
    if token is not None:
        read_and_forget(request)
    return problem(request, "too-large")


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Pages that Django or the router answers errors with are replaced; their headers stay."""
    if response.status_code < 400 or response.headers.get("Content-Type") == MEDIA_TYPE:
        return response
    code = _CODES.get(response.status_code, "unreadable")
    told = problem(request, "internal-error" if response.status_code >= 500 else code)
    if "Allow" in response.headers:
        told["Allow"] = response.headers["Allow"]
    return told
