"""The form on the page of a job under way: have me told by e-mail, or rather not."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from matcher import notices
from matcher.access import by_htmx, own_upload, signed_in
from matcher.views import context_of


@signed_in
@require_POST
def tell(request: HttpRequest, upload_id: UUID) -> HttpResponseBase:
    """Answers the form alone where htmx asks for it."""
    upload = own_upload(request, upload_id)
    if request.POST.get("tell") and notices.address_of(request.user):
        notices.wish(upload, request.build_absolute_uri(upload.get_absolute_url()))
    else:
        notices.forget(upload)
    if not by_htmx(request):
        return redirect(upload)
    if upload.ended:
        return HttpResponseClientRefresh()
    return render(request, "matcher/_tell.html", context_of(upload))
