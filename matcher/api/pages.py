"""The API's pages for people: their tokens, and what the errors mean."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from matcher.api import tokens as service
from matcher.api.forms import TokenForm
from matcher.api.problems import KINDS
from matcher.errors import TEXTS, text_of


@sensitive_variables("secret")
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list, and the form. The answer to the form is the only place that shows a secret: it is
    no redirect, since the secret would have to be kept somewhere until the next request."""
    owner = cast(User, request.user)
    form = TokenForm(owner, request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        _token, secret = form.make()
        form = TokenForm(owner)
    rows = service.tokens_of(owner)
    return render(request, "api/tokens.html", {"form": form, "secret": secret, "rows": rows})


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    mine = service.tokens_of(request.user)
    token = get_object_or_404(mine, pk=pk)
    if service.revoke(mine.filter(pk=pk)):
        messages.success(request, _("“%s” was revoked and opens nothing any more.") % token.name)
    return redirect("matcher:tokens")


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """Every code of the API, then those that it shares with the pages."""
    context = {"kinds": list(KINDS.items()), "texts": [(code, text_of(code)) for code in TEXTS]}
    return render(request, "api/problems.html", context)
