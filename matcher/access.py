"""Who may: pages about an upload are its owner's alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from matcher.models import Upload
from matcher.selectors import upload_of

View = Callable[..., HttpResponseBase]


def by_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks, which puts the answer into the page."""
    return request.headers.get("HX-Request") == "true"


def own_upload(request: HttpRequest, upload_id: UUID) -> Upload:
    """Raises Http404 for somebody else's upload, and for one that is not there."""
    try:
        return upload_of(request.user, upload_id)
    except Upload.DoesNotExist as error:
        raise Http404("no such upload of yours") from error


def signed_in(view: View) -> View:
    """For views of an upload's small forms: asks for a sign-in, and comes back to its page.

    A form that htmx sends has the whole page replaced, not the form by the page that signs in.
    """

    @wraps(view)
    def asked(request: HttpRequest, upload_id: UUID, **more: object) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, upload_id, **more)
        to_login = redirect_to_login(reverse("matcher:upload", args=[upload_id]))
        return HttpResponseClientRedirect(to_login.url) if by_htmx(request) else to_login

    return asked
