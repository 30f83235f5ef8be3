"""The model versions: a list, a page for each, and "Train a new version"."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from tracks import artefacts, comparison, selectors
from tracks.admin.common import PageAdmin, begun, owner_of
from tracks.admin.jobs import DETAILS
from tracks.models import Job, ModelVersion
from tracks.services import versions
from tracks.services.versions import VersionRefusedError
from tracks.training_form import TrainingForm

VERSION_COLOURS = {"ACTIVE": "success", "READY": "success", "INDEXING": "info"}
State = ModelVersion.State

Order = Callable[[HttpRequest, ModelVersion], Any]


def _evaluate(request: HttpRequest, version: ModelVersion) -> Job:
    return versions.ask_for_evaluation(version, owner_of(request))


ORDERS: dict[str, tuple[str, Order, tuple[State, ...]]] = {
    "evaluate": ("Evaluate", _evaluate, tuple(s for s in State if s != State.ARCHIVED)),
    "index": ("Index", lambda _, v: versions.begin_index(v), (State.REGISTERED,)),
    "activate": ("Activate", lambda _, v: versions.switch_to(v), (State.READY,)),
    "rollback": ("Roll back", lambda _, v: versions.roll_back(), (State.ACTIVE,)),
    "archive": ("Archive", lambda _, v: versions.archive(v), versions.ARCHIVABLE),
}


@admin.register(ModelVersion)
class ModelVersionAdmin(PageAdmin):
    page = "admin/versions/page.html"
    list_display = ("name", "state_label", "coverage", "created_at", "activated_at")
    list_filter = ("state",)
    search_fields = ("name", "sha256")
    actions_list = ("train",)

    @display(description="State", ordering="state", label=VERSION_COLOURS)
    def state_label(self, version: ModelVersion) -> str:
        return version.state

    @display(description="Index")
    def coverage(self, version: ModelVersion) -> str:
        counts = selectors.coverage(version)
        return (
            f"{counts.indexed} of {counts.tracks} indexed, "
            f"{counts.pending} waiting, {counts.failed} failed"
        )

    def get_urls(self) -> list[Any]:
        order = self.admin_site.admin_view(require_POST(self.order))
        return [
            path("<int:pk>/<slug:name>/order/", order, name="tracks_version_order"),
            *super().get_urls(),
        ]

    def has_train_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tracks.change_modelversion")

    @action(description="Train a new version", url_path="train", permissions=["train"])
    def train(self, request: HttpRequest) -> HttpResponse:
        form = TrainingForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return begun(request, versions.ask_for_training(form.options(), owner_of(request)))
        context = {"title": "Train a new version", "form": form}
        context |= self.admin_site.each_context(request)
        return render(request, "admin/versions/train.html", context)

    def page_context(self, request: HttpRequest, version: ModelVersion) -> Mapping[str, Any]:
        active = selectors.active_version()
        orders = _orders(version) if self.has_train_permission(request) else []
        return {
            "opts": self.opts,
            "title": version.name,
            "object": version,
            "version": version,
            "coverage": self.coverage(version),
            "serves": versions.serves(version),
            "orders": orders,
            **_training(version),
            "manifest": json.dumps(version.manifest, indent=1, sort_keys=True),
            "columns": [*comparison.COLUMNS, "two halves"],
            "rows": comparison.table(version, active),
            "difference": comparison.difference_in_words(version, active),
        }

    def _ask_to_archive(self, request: HttpRequest, version: ModelVersion) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Archive {version}",
            "object": version,
            "version": version,
            "trained_here": artefacts.trained_here(version),
        }
        return render(request, "admin/versions/archive.html", context)

    def order(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Evaluate, index, activate, roll back or archive; each goes into the history."""
        if not self.has_train_permission(request):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion, pk=pk)
        if name not in ORDERS:
            raise Http404
        if name == "archive" and "sure" not in request.POST:
            return self._ask_to_archive(request, version)
        words, obey, _ = ORDERS[name]
        try:
            found = obey(request, version)
        except VersionRefusedError as refused:
            messages.error(request, str(refused))
            found = None
        else:
            self.log_change(request, version, words)
        page = reverse("admin:tracks_modelversion_change", args=[pk])
        return redirect(found if isinstance(found, Job) else page)


def _training(version: ModelVersion) -> dict[str, Any]:
    """The data that the version saw, its figures by epoch, usage and perplexity by codebook."""
    training = version.manifest.get("training", {})
    history, codebook = training.get("history", {}), training.get("codebook", {})
    usage = [f"{100 * share:.1f} %" for share in codebook.get("usage", [])]
    return {
        "training": training,
        "data": ", ".join(version.manifest.get("data", {}).values()),
        "epochs": [
            dict(zip(history, figures, strict=True))
            for figures in zip(*history.values(), strict=True)
        ],
        "codebooks": list(zip(usage, codebook.get("perplexity", []), strict=True)),
    }


def _orders(version: ModelVersion) -> list[tuple[str, str]]:
    """Names and words of what can be done with the version as it stands."""
    found = [
        (name, words) for name, (words, _, states) in ORDERS.items() if version.state in states
    ]
    return [
        (name, words)
        for name, words in found
        if (name != "index" or versions.serves(version))
        and (name != "rollback" or selectors.rollback_target())
    ]


def _curves(request: HttpRequest, job: Job) -> Mapping[str, Any]:
    return {
        "epochs": job.progress.get("epochs", []),
        "made": ModelVersion.objects.filter(name=job.options.get("name", "")).first(),
    }


def _measured(request: HttpRequest, job: Job) -> Mapping[str, Any]:
    return {"made": ModelVersion.objects.filter(pk=job.options.get("version")).first()}


DETAILS["TRAIN"] = ("admin/jobs/_train.html", _curves)
DETAILS["EVALUATE"] = ("admin/jobs/_evaluate.html", _measured)
