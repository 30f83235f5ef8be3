"""The page of the index and the actions that lead to a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from tracks.index_figures import index_figures
from tracks.models import IndexEntry, Job, ModelVersion, Track
from tracks.services import index, jobs

pytestmark = pytest.mark.django_db
PAGE = "/admin/tracks/indexentry/overview/"
HEARD = {"embedding": [1.0] + [0.0] * 7, "encoding": b"codes", "duration": 3.0}


@pytest.fixture
def catalogue(version: ModelVersion, add: Callable[..., Track]) -> list[Track]:
    """One track in each state: indexed, damaged, silent, in hand, waiting."""
    tracks = [add(seed) for seed in range(5)]
    first, second, third, _ = (index.claim() for _ in range(4))
    assert first
    assert second
    assert third
    index.complete(first, **HEARD)
    index.fail(second, "damaged", "ffmpeg refused the header; libsndfile stopped after 3.1 s")
    index.fail(third, "silent", "")
    return tracks


def again(client: Client, version: ModelVersion, **form: str) -> str:
    """Where the order leads."""
    address = f"/admin/tracks/indexentry/overview/{version.pk}/again/"
    return str(client.post(address, form)["Location"])


def text(client: Client, address: str = PAGE) -> str:
    return " ".join(client.get(address).content.decode().split())


def test_the_page_tells_what_is_searchable_waits_is_in_hand_and_failed(
    administrator_client: Client, catalogue: list[Track]
) -> None:
    for address in (PAGE, PAGE + "live/"):
        page = text(administrator_client, address)
        assert "1 of 5 tracks searchable (20 %), 2 failed" in page
        assert "1 waits, 1 in hand" in page
        assert "The file begins like audio, but no sound could be read from it." in page
        assert "The file holds only silence." in page


def test_the_rate_is_that_of_the_last_minutes_and_tells_the_time_left(
    version: ModelVersion, catalogue: list[Track]
) -> None:
    IndexEntry.objects.exclude(state="PENDING").update(
        indexed_at=timezone.now() - timedelta(minutes=1)
    )
    (figures,) = index_figures()
    assert figures.a_minute == pytest.approx(3, rel=0.05)
    assert figures.seconds_left == pytest.approx(40, rel=0.05)
    IndexEntry.objects.update(indexed_at=timezone.now() - timedelta(hours=1))
    (figures,) = index_figures()
    assert (figures.a_minute, figures.seconds_left) == (0, None)


def test_only_live_versions_are_shown_each_with_its_own_numbers(
    version: ModelVersion, catalogue: list[Track], artefact_folder: Callable[..., Any]
) -> None:
    other = ModelVersion.objects.create(
        **{"name": "other", "state": "READY", "location": "x", "sha256": "0" * 64},
        **{"manifest": {}, "embedding_dim": 8},
    )
    ModelVersion.objects.create(
        **{"name": "old", "state": "ARCHIVED", "location": "x", "sha256": "0" * 64},
        **{"manifest": {}, "embedding_dim": 8},
    )
    assert [(found.pk, found.heard, found.failed) for found in index_figures()] == [
        (other.pk, 0, 0),
        (version.pk, 1, 2),
    ]


def test_what_failed_is_tried_again_by_code_or_altogether_as_a_job(
    administrator_client: Client,
    administrator: Any,
    version: ModelVersion,
    catalogue: list[Track],
) -> None:
    where = again(administrator_client, version, code="silent")
    job = Job.objects.get()
    assert where == job.get_absolute_url()
    assert (job.owner, list(job.entries.values_list("track", flat=True))) == (
        administrator,
        [catalogue[2].pk],
    )
    again(administrator_client, version)
    assert catalogue[1].entries.get().state == IndexEntry.State.PENDING


def test_all_of_a_version_is_queued_and_a_second_order_finds_nothing_to_do(
    administrator_client: Client, version: ModelVersion, catalogue: list[Track]
) -> None:
    again(administrator_client, version, what="all")
    assert Job.objects.get().options == {"entries": 3}
    assert again(administrator_client, version, what="all") == PAGE
    assert "Nothing was queued" in text(administrator_client)


@pytest.mark.parametrize("page", ["track", "indexentry"])
@pytest.mark.parametrize(("action", "queued"), [("retry", 1), ("reindex", 2)])
def test_chosen_tracks_are_heard_again_from_either_list(
    page: str,
    action: str,
    queued: int,
    administrator_client: Client,
    version: ModelVersion,
    catalogue: list[Track],
) -> None:
    chosen = catalogue[:2] if page == "track" else [track.entries.get() for track in catalogue[:2]]
    form = {"action": action, "_selected_action": [row.pk for row in chosen]}
    response = administrator_client.post(f"/admin/tracks/{page}/", form)
    job = Job.objects.get()
    assert response["Location"] == job.get_absolute_url()
    assert job.options == {"entries": queued}


def test_the_page_of_a_job_names_the_tracks_that_failed_and_why(
    administrator_client: Client, version: ModelVersion, catalogue: list[Track]
) -> None:
    again(administrator_client, version, code="damaged")
    waiting = index.claim()
    entry = index.claim()
    assert waiting
    assert entry
    if entry.track != catalogue[1]:
        entry = waiting
    index.fail(entry, "damaged", "ffmpeg refused the header; libsndfile stopped after 3.1 s")
    page = text(administrator_client, Job.objects.get().get_absolute_url())
    assert "Song 1" in page
    assert "(ffmpeg refused the header; libsndfile stopped after 3.1 s)" in page


@pytest.mark.parametrize("order", ["pause", "cancel"])
def test_a_job_in_any_state_has_a_page(
    order: str, administrator_client: Client, version: ModelVersion, catalogue: list[Track]
) -> None:
    again(administrator_client, version, what="all")
    job = Job.objects.get()
    getattr(jobs, order)(job)
    page = text(administrator_client, job.get_absolute_url())
    assert "0 of 3" in page
    assert ("3 tracks had not been heard yet: they are as before." in page) == (order == "cancel")


def test_staff_who_may_only_look_see_the_page_but_cannot_order(
    stranger_client: Client, stranger: Any, version: ModelVersion, catalogue: list[Track]
) -> None:
    stranger.is_staff = True
    stranger.save()
    assert stranger_client.get(PAGE).status_code == 403
    stranger.user_permissions.add(Permission.objects.get(codename="view_indexentry"))
    assert "Retry" not in text(stranger_client)
    address = f"/admin/tracks/indexentry/overview/{version.pk}/again/"
    assert stranger_client.post(address, {"what": "all"}).status_code == 403
    assert not Job.objects.exists()
