"""Asking without a file: about an upload once more, about one track, about several."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from matcher import question_words, services
from matcher.ask_form import AskForm, FilterForm
from matcher.errors import UploadError, text_of
from matcher.models import State, Upload
from matcher.questions import question_of
from matcher.refusals import told_of_load
from tracks.basket import basket_of
from tracks.models import Track


def context_of(upload: Upload) -> dict[str, Any]:
    """What the page of an upload shows of the question and of those that can follow."""
    question = question_of(upload)
    there = Track.objects.shown().in_bulk(question.seeds)
    context: dict[str, Any] = {
        "asked": question_words.asked(question, {pk: track.title for pk, track in there.items()}),
        "like": [there[pk] for pk in question.like if pk in there],
        "unlike": [there[pk] for pk in question.unlike if pk in there],
    }
    if upload.state == State.FINISHED or (upload.ended and not upload.audio):
        context["ask_form"] = AskForm(upload)
    return context


@login_required
@require_POST
@told_of_load
def ask(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """One more question about an upload, or about what a question was about."""
    upload = get_object_or_404(Upload.objects.filter(owner_id=request.user.pk), pk=upload_id)
    form = AskForm(upload, request.POST)
    if not form.is_valid():
        code = "bad-span" if {"start", "end"} & set(form.errors) else "bad-filters"
        return _refused(request, code, upload)
    if form.filters().empty and form.span() is None and (upload.audio or upload.parent):
        return redirect(upload if upload.audio else cast(Upload, upload.parent))
    try:
        asked = services.ask(
            cast(User, request.user), parent=upload, span=form.span(), filters=form.filters()
        )
    except UploadError as error:
        return _refused(request, error.code, upload)
    return redirect(asked)


def _refused(request: HttpRequest, code: str, back: Any) -> HttpResponse:
    text = text_of(code)
    messages.error(request, f"{text.title}. {text.sentence} {text.advice}")
    return redirect(back)


@login_required
@require_POST
@told_of_load
def similar(request: HttpRequest, pk: int) -> HttpResponse:
    """What is like one track of the catalogue."""
    track = get_object_or_404(Track.objects.shown(), pk=pk)
    return redirect(services.ask(cast(User, request.user), like=[track]))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@told_of_load
def seeds(request: HttpRequest) -> HttpResponse:
    """The tracks that a visitor has picked, and asking about all of them at once."""
    basket = basket_of(request.session)
    like, unlike = basket.tracks("like"), basket.tracks("unlike")
    if request.method != "POST":
        context = {"like": like, "unlike": unlike, "form": FilterForm(), "basket": basket}
        return render(request, "matcher/seeds.html", context)
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    form = FilterForm(request.POST)
    if not form.is_valid():
        return _refused(request, "bad-filters", "matcher:seeds")
    try:
        asked = services.ask(request.user, like=like, unlike=unlike, filters=form.filters())
    except UploadError as error:
        return _refused(request, error.code, "matcher:seeds")
    return redirect(asked)
