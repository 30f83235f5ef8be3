"""The two buttons under a match."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from matcher import feedback
from matcher.access import by_htmx, own_upload, signed_in
from matcher.answers import AT_FIRST
from matcher.models import Match, State, Upload, Verdict

UNSAY = "UNSAY"


@signed_in
@require_POST
def say(request: HttpRequest, upload_id: UUID) -> HttpResponseBase:
    """Keeps or takes back a verdict; answers the match's buttons alone where htmx asks for them.

    One form serves all matches: its button's name is what is said, its value the track.
    """
    upload = own_upload(request, upload_id)
    said = next((name for name in (*Verdict.values, UNSAY) if name in request.POST), "")
    track = request.POST.get(said, "")
    if not (track.isascii() and track.isdecimal()):
        return HttpResponse("No verdict.", status=400, content_type="text/plain")
    match = _match(upload, int(track))
    verdict = None if said == UNSAY else Verdict(said)
    feedback.say(match, verdict)
    if not by_htmx(request):
        every = "?all=1" if match.rank > AT_FIRST else ""
        return redirect(f"{upload.get_absolute_url()}{every}#feedback-{match.rank}")
    context = {"row": {"match": match, "verdict": verdict or ""}, "alone": True}
    return render(request, "matcher/_feedback.html", context)


def _match(upload: Upload, track_id: int) -> Match:
    shown = upload.matches.filter(track=track_id, track__withdrawn_at=None)
    match = shown.select_related("upload", "track").first()
    if match is None or upload.state != State.FINISHED:
        raise Http404("it is not among the matches")
    return match
