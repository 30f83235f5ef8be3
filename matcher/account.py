"""A person's account: what is kept, taking it away, and leaving."""

from __future__ import annotations

from typing import Any, cast

from allauth.core import ratelimit
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from matcher import leaving, selectors, takeout
from matcher.errors import LeavingError


class LeavingForm(forms.Form):
    """Asks for the password once more; whoever has none types the user name."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    username = forms.CharField(
        label=gettext_lazy("Your user name"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.request = request
        self.user = cast(User, request.user)
        del self.fields["username" if self.user.has_usable_password() else "password"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not ratelimit.consume(self.request, action="reauthenticate", user=self.user):
            raise forms.ValidationError(_("Too many tries. Wait a minute and try again."))
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if username != self.user.get_username():
            raise forms.ValidationError(_("This is not your user name."))
        return username


@login_required
@never_cache
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    return render(request, "matcher/account.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    user = cast(User, request.user)
    return {
        "kept_days": settings.UPLOADS_KEPT_DAYS,
        "holding": selectors.holding_of(user),
        "addresses": user.emailaddress_set.order_by("-primary", "email"),  # type: ignore[attr-defined]
        "second_factor": is_mfa_enabled(user),
        "last_superuser": leaving.is_last_superuser(user),
    }


@login_required
@never_cache
@require_GET
def download(request: HttpRequest) -> StreamingHttpResponse:
    """Everything of this person, see `takeout.archive`."""
    user = cast(User, request.user)
    name = f"soundsite-{user.get_username()}-{timezone.localdate():%Y-%m-%d}.zip"
    response = StreamingHttpResponse(takeout.archive(user), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@sensitive_post_parameters("password")
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Says what would go, asks for the password, and deletes it all."""
    form = LeavingForm(request)
    if not form.is_valid():
        return _asking(request, form, 400 if form.is_bound else 200)
    try:
        leaving.delete_account(form.user)
    except LeavingError:
        return _asking(request, form, 409)
    logout(request)
    messages.success(request, _("Your account is gone, with everything that was in it."))
    return redirect("matcher:landing")


def _asking(request: HttpRequest, form: LeavingForm, status: int) -> HttpResponse:
    return render(request, "matcher/leave.html", _context(request) | {"form": form}, status=status)
