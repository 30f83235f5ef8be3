"""The administration's first page, from the database and the real broker."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from matcher.models import State, Upload
from soundsite import broker
from tracks.models import IndexEntry, Job, ModelVersion, Track

pytestmark = pytest.mark.django_db


def an_upload(owner: Any, state: State, **fields: Any) -> Upload:
    ended = {"finished_at": timezone.now()} if state in (State.FINISHED, State.FAILED) else {}
    told = {"original_name": "song.mp3", "size": 1024, "sha256": "0" * 64} | ended | fields
    return Upload.objects.create(owner=owner, state=state, audio=f"up/{uuid.uuid4()}", **told)


def a_track(number: int) -> Track:
    names = {"title": f"Track {number}", "audio": f"tracks/{number}.ogg"}
    return Track.objects.create(sha256=f"{number:064x}", size=2048, duration=1800.0, **names)


@pytest.fixture
def version(db: None) -> ModelVersion:
    return ModelVersion.objects.create(
        **{"name": "listener-1", "state": "ACTIVE", "location": "x", "sha256": "0" * 64},
        **{"manifest": {}, "embedding_dim": 4, "activated_at": timezone.now()},
    )


@pytest.fixture
def busy(owner: Any, version: ModelVersion) -> ModelVersion:
    """Two uploads answered, one failed, one waiting; a track indexed, one failed, one waiting."""
    now = timezone.now()
    for _ in range(2):
        an_upload(owner, State.FINISHED, duration=9.0, model_version=version)
    an_upload(owner, State.FAILED, error_code="damaged", original_name="broken.mp3")
    an_upload(owner, State.QUEUED, queued_at=now - timedelta(minutes=7))
    states: list[dict[str, Any]] = [
        {"state": "INDEXED", "embedding": [1, 0, 0, 0], "encoding": b"x", "indexed_at": now},
        {"state": "FAILED", "error_code": "silent", "indexed_at": now},
        {},
    ]
    for number, fields in enumerate(states):
        IndexEntry.objects.create(track=a_track(number), model_version=version, **fields)
    Job.objects.create(kind="TRAIN", title="Train a new version")
    Job.objects.create(
        **{"kind": "TRAIN", "title": "Train in vain", "state": "FAILED"},
        **{"error_code": "worker-lost", "ended_at": now},
    )
    return version


def text(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def context(client: Client) -> Any:
    return client.get("/admin/").context


def test_the_tiles_count_todays_uploads_and_the_catalogue(
    administrator_client: Client, busy: ModelVersion, owner: Any
) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    an_upload(owner, State.FAILED, error_code="silent", created_at=yesterday)
    found = context(administrator_client)
    uploads, catalogue = found["uploads"], found["catalogue"]
    assert (uploads.answered, uploads.failed, uploads.running, uploads.waiting) == (2, 1, 0, 1)
    assert uploads.size == 5 * 1024
    assert (catalogue.tracks, catalogue.hours, catalogue.size) == (3, "1.5", 3 * 2048)


def test_every_queue_tells_what_waits_since_when_and_its_messages(
    administrator_client: Client, busy: ModelVersion
) -> None:
    with current_app.connection_for_write() as link:
        link.default_channel.queue_purge("train")
        current_app.send_task("tracks.tasks.train_version", args=[1], connection=link)
        queues = {queue["name"]: queue for queue in context(administrator_client)["queues"]}
        link.default_channel.queue_purge("train")
    waits = {name: queue["waits"] for name, queue in queues.items()}
    assert waits == {
        "match": [("upload", 1)],
        "index": [("track", 1)],
        "train": [("training", 1)],
        "maintenance": [],
    }
    assert timezone.now() - queues["match"]["oldest"] > timedelta(minutes=6)
    assert queues["train"]["messages"] == 1


def test_failures_are_counted_by_code_and_the_last_ones_named_with_their_pages(
    administrator_client: Client, busy: ModelVersion
) -> None:
    found = context(administrator_client)
    counts = {code.code: (code.uploads, code.tracks, code.jobs) for code in found["codes"]}
    assert counts == {"damaged": (1, 0, 0), "silent": (0, 1, 0), "worker-lost": (0, 0, 1)}
    assert {failure.name for failure in found["latest"]} == {
        "broken.mp3",
        "Track 1",
        "Train in vain",
    }
    for failure in found["latest"]:
        assert administrator_client.get(failure.url).status_code == 200


def test_the_charts_hold_the_last_24_hours_by_outcome(
    administrator_client: Client, busy: ModelVersion
) -> None:
    uploads, indexed = context(administrator_client)["charts"]
    answered, failed, waiting = json.loads(uploads.data)["datasets"]
    assert [sum(bars["data"]) for bars in (answered, failed, waiting)] == [2, 1, 1]
    assert len(json.loads(uploads.data)["labels"]) == 24
    assert json.loads(indexed.data)["datasets"][0]["data"][-1] == 1


def test_an_empty_site_has_a_whole_first_page(administrator_client: Client) -> None:
    page = text(administrator_client)
    assert "Nothing has failed." in page
    assert "No model version is live." in page


def test_the_number_of_queries_does_not_grow_with_what_there_is_to_show(
    administrator_client: Client, busy: ModelVersion, owner: Any
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            administrator_client.get("/admin/")
        return len(seen)

    queries()  # content types are read once a process
    few = queries()
    for number in range(10, 30):
        track = a_track(number)
        failed = {"state": "FAILED", "error_code": f"code-{number}", "indexed_at": timezone.now()}
        IndexEntry.objects.create(track=track, model_version=busy, **failed)
        an_upload(owner, State.FAILED, error_code=f"code-{number}")
    assert queries() == few <= 20


def test_without_a_broker_the_page_is_whole_and_says_so(
    administrator_client: Client, busy: ModelVersion, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    page = text(administrator_client)
    assert "The broker does not answer." in page
    assert "1 upload" in page  # from the database


def test_workers_are_asked_apart_and_none_answers_here(administrator_client: Client) -> None:
    page = administrator_client.get("/admin/workers/").content.decode()
    assert "match: none" in page


def test_workers_that_answer_are_counted_by_the_queues_they_serve(
    administrator_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"one@x": [{"name": "match"}, {"name": "index"}], "two@x": [{"name": "match"}]}
    inspect = type("Inspect", (), {"active_queues": lambda self: answers})
    monkeypatch.setattr(current_app.control, "inspect", lambda **_: inspect())
    assert broker.workers() == {"match": 2, "index": 1, "train": 0, "maintenance": 0}
    page = administrator_client.get("/admin/workers/").content.decode()
    assert "match: 2" in page


def test_without_a_broker_the_workers_cannot_be_asked(
    administrator_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = current_app.connection_for_write("redis://127.0.0.1:1/0")
    monkeypatch.setattr(broker, "impatient_connection", lambda: nowhere)
    page = administrator_client.get("/admin/workers/").content.decode()
    assert "cannot be asked" in page


def test_every_link_of_the_sidebar_leads_to_a_page(administrator_client: Client) -> None:
    groups = context(administrator_client)["sidebar_navigation"]
    links = [item["link"] for group in groups for item in group["items"]]
    assert links[0] == "/admin/"
    assert "/admin/tracks/indexentry/overview/" in links
    assert {administrator_client.get(link).status_code for link in links} == {200}


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/admin/", "Overview"),
        ("/admin/tracks/job/", "Jobs"),
        ("/admin/tracks/job/import/", "Import music"),
        ("/admin/tracks/track/add/", "Tracks"),
    ],
)
def test_the_sidebar_marks_the_one_page_that_is_open(
    administrator_client: Client, path: str, title: str
) -> None:
    groups = administrator_client.get(path).context["sidebar_navigation"]
    items = [item for group in groups for item in group["items"]]
    assert [item["title"] for item in items if item["active"]] == [title]


def test_staff_without_permissions_see_neither_numbers_nor_links(
    stranger_client: Client, stranger: Any, busy: ModelVersion
) -> None:
    stranger.is_staff = True
    stranger.save()
    page = text(stranger_client)
    assert "broken.mp3" not in page
    assert "/admin/tracks/track/" not in page
    assert stranger_client.get("/admin/workers/").status_code == 403
