"""Uploads in the administration: looking, queueing again, deleting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from matcher.models import State, Upload
from tests.matcher.conftest import Upper
from tracks.models import Track

LIST = "/admin/matcher/upload/"


def test_uploads_are_listed_filtered_by_state_and_searched(
    administrator_client: Client, upload: Upper
) -> None:
    upload(State.FAILED, original_name="broken.mp3", error_code="damaged")
    upload(original_name="waiting.mp3")
    for question in ("?state=FAILED", "?error_code=damaged", "?q=broken"):
        page = administrator_client.get(LIST + question).content.decode()
        assert "broken.mp3" in page, question
        assert "waiting.mp3" not in page, question


def test_the_detail_that_visitors_never_see_is_shown_and_nothing_can_be_edited(
    administrator_client: Client, upload: Upper
) -> None:
    row = upload(State.FAILED, error_detail="RuntimeError: the moon fell down")
    page = administrator_client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "the moon fell down" in page
    assert 'name="state"' not in page


def test_matches_can_be_looked_at(administrator_client: Client, answered: Upload) -> None:
    page = administrator_client.get("/admin/matcher/match/?q=Piece").content.decode()
    assert "Piece 2" in page


def test_ended_uploads_are_queued_again_and_running_ones_left_alone(
    administrator_client: Client, upload: Upper
) -> None:
    ended, running = upload(State.FAILED), upload(State.ENCODING)
    form = {"action": "queue_again", "_selected_action": [str(ended.pk), str(running.pk)]}
    page = administrator_client.post(LIST, form, follow=True).content.decode()
    assert "1 upload was queued again" in page
    assert Upload.objects.get(pk=ended.pk).state == State.QUEUED
    assert Upload.objects.get(pk=running.pk).state == State.ENCODING


def test_staff_who_may_only_look_cannot_queue_again(
    stranger_client: Client, stranger: Any, upload: Upper
) -> None:
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="view_upload"))
    row = upload(State.FAILED)
    form = {"action": "queue_again", "_selected_action": [str(row.pk)]}
    stranger_client.post(LIST, form)
    assert Upload.objects.get().state == State.FAILED


@pytest.mark.django_db(transaction=True)
def test_deleting_in_the_administration_removes_the_file_too(
    administrator_client: Client, answered: Upload
) -> None:
    path = Path(answered.audio.path)
    administrator_client.post(f"{LIST}{answered.pk}/delete/", {"post": "yes"})
    assert not Upload.objects.exists()
    assert not path.exists()


def test_a_track_with_index_entries_and_matches_can_be_deleted(
    administrator_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    administrator_client.post(f"/admin/tracks/track/{tracks[0].pk}/delete/", {"post": "yes"})
    assert not Track.objects.filter(pk=tracks[0].pk).exists()
    assert answered.matches.count() == 2
