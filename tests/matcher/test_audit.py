"""What administrators do stands in the history, whoever did it: every deed of the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.test import Client

from matcher.api import tokens
from matcher.api.models import Scope
from matcher.models import Upload
from tests.matcher.sounds import tone
from tracks.admin import jobs, versions
from tracks.models import IndexEntry, Job, ModelVersion, Track

Values = dict[str, Any]

# Action, list, how its page is answered; each is done to the row that {} stands for.
ACTIONS = [
    ("queue_again", "matcher/upload", {}),
    ("delete_selected", "matcher/upload", {"post": "yes"}),
    ("delete_selected", "matcher/match", {"post": "yes"}),
    ("revoke", "api/token", {}),
    ("delete_selected", "api/token", {"post": "yes"}),
    ("delete_selected", "tracks/track", {"post": "yes"}),
    ("edit", "tracks/track", {"sure": "1", "artist": "Somebody else"}),
    ("withdraw", "tracks/track", {"sure": "1", "why": "rights"}),
    ("reindex", "tracks/track", {}),
    ("retry", "tracks/track", {}),
    ("reindex", "tracks/indexentry", {}),
    ("retry", "tracks/indexentry", {}),
]
# (path, form)
PAGES: list[tuple[str, dict[str, Any]]] = [
    ("tracks/job/{job}/pause/order/", {}),
    ("tracks/job/{job}/cancel/order/", {}),
    ("tracks/track/{track}/withdraw/", {"sure": "1", "why": "rights"}),
    ("tracks/indexentry/overview/{version}/again/", {"what": "all"}),
    ("tracks/modelversion/{version}/evaluate/order/", {}),
    ("tracks/modelversion/{second}/archive/order/", {"sure": "1"}),
]


@pytest.fixture
def values(answered: Upload, second: ModelVersion, tracks: list[Track], owner: Any) -> Values:
    IndexEntry.objects.filter(track=tracks[0]).update(
        state=IndexEntry.State.FAILED, error_code="damaged"
    )
    Track.objects.update(duration=20.0)
    made: dict[str, Any] = {
        "matcher/upload": answered,
        "matcher/match": answered.matches.all()[0],
        "api/token": tokens.make(owner, "nightly", [Scope.READ])[0],
        "tracks/track": tracks[0],
        "tracks/indexentry": IndexEntry.objects.get(track=tracks[0]),
        **{"track": tracks[0], "version": answered.model_version, "second": second},
        "job": Job.objects.create(kind=Job.Kind.EVALUATE, title="An evaluation"),
    }
    return {name: row.pk for name, row in made.items()}


@pytest.mark.parametrize(("action", "rows", "form"), ACTIONS)
def test_an_action_stands_in_the_history(
    administrator_client: Client, values: Values, action: str, rows: str, form: dict[str, str]
) -> None:
    chosen = {"action": action, "_selected_action": values[rows], **form}
    administrator_client.post(f"/admin/{rows}/", chosen)
    assert LogEntry.objects.filter(user__username="ada").exists()


@pytest.mark.parametrize(("path", "form"), PAGES)
def test_a_deed_stands_in_the_history(
    administrator_client: Client, values: Values, path: str, form: dict[str, str]
) -> None:
    administrator_client.post(f"/admin/{path.format(**values)}", form)
    assert LogEntry.objects.filter(user__username="ada").exists()


def test_an_import_and_a_training_say_who_began_them(
    administrator_client: Client, tracks: list[Track], tmp_path: Any
) -> None:
    song = tmp_path / "song.wav"
    song.write_bytes(tone(1))
    with song.open("rb") as file:
        administrator_client.post("/admin/tracks/job/import/", {"audio": file})
    form = {"name": "third", "epochs": "2", "seed": "1", "config": "soundsite"}
    administrator_client.post("/admin/tracks/modelversion/train/", form)
    begun = LogEntry.objects.filter(user__username="ada", change_message="Begun")
    assert {Job.objects.get(pk=entry.object_id).kind for entry in begun} == {
        *(Job.Kind.IMPORT, Job.Kind.TRAIN)
    }


def test_no_action_and_no_order_is_without_a_test(rf: Any, administrator: Any) -> None:
    """Actions of the lists, and what jobs and versions can be told."""
    request: HttpRequest = rf.get("/")
    request.user = administrator
    named = {(action, rows) for action, rows, _ in ACTIONS}
    there = {
        (action, f"{model._meta.app_label}/{model._meta.model_name}")
        for model, page in admin.site._registry.items()
        if model.__module__.startswith(("matcher", "tracks"))
        for action in page.get_actions(request)
    }
    assert {one for one in there - named if one[0] != "delete_selected"} == set()
    assert set(jobs.ORDERS) == {"go", "pause", "resume", "cancel"}
    assert set(versions.ORDERS) == {"evaluate", "index", "activate", "rollback", "archive"}
