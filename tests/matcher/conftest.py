"""A store of media for one test, a catalogue of a few rows, uploads in any state, a browser."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from benchmarks.browser import CHROMIUM
from matcher import nudges
from matcher.models import RUNNING, Match, State, Upload, random_name
from tests.matcher.sounds import tone
from tracks.models import IndexEntry, ModelVersion, Track

Upper = Callable[..., Upload]


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """The people of a test sign in by force; nobody guesses their passwords."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def messages() -> Iterator[Callable[[], int]]:
    """How many nudges lie in the real broker; its queue is emptied before and after."""

    def count() -> int:
        with current_app.connection_for_read() as connection:
            return nudges._unread(connection)

    _empty_queue()
    yield count
    _empty_queue()


def _empty_queue() -> None:
    with current_app.connection_for_write() as connection:
        connection.default_channel.queue_purge(nudges.QUEUE)


@pytest.fixture
def version(db: None) -> ModelVersion:
    """An active model version whose artefact does not exist."""
    return _version("first", state=ModelVersion.State.ACTIVE, activated_at=timezone.now())


@pytest.fixture
def second(version: ModelVersion) -> ModelVersion:
    """One that could be activated in its place."""
    return _version("second", state=ModelVersion.State.READY)


def _version(name: str, **more: Any) -> ModelVersion:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return ModelVersion.objects.create(
        name=name, location="nowhere", sha256=sha256, manifest={}, embedding_dim=4, **more
    )


@pytest.fixture
def tracks(version: ModelVersion) -> list[Track]:
    """Three indexed tracks of 10, 11 and 12 seconds."""
    return [add_track(version, number) for number in range(3)]


def add_track(version: ModelVersion, number: int) -> Track:
    """An indexed track of ten and so many seconds."""
    track = Track(
        title=f"Piece {number}",
        artist="An artist",
        soundtrack="A game",
        licence="CC0-1.0",
        source="Debian package a-game-data",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        size=8,
        duration=10.0 + number,
    )
    track.audio.save("x.wav", ContentFile(tone(1)), save=False)
    track.save()
    IndexEntry.objects.create(
        track=track,
        model_version=version,
        state=IndexEntry.State.INDEXED,
        embedding=[1, 0, 0, number],
        encoding=b"x",
        indexed_at=timezone.now(),
    )
    return track


@pytest.fixture
def upload(owner: Any, version: ModelVersion) -> Upper:
    """Makes an upload of the owner, or of `owner=`, in a state and with what the state needs."""

    def make(state: State = State.QUEUED, *, content: bytes = b"sound", **fields: Any) -> Upload:
        fields = _needed(state, version) | {"owner": owner, "original_name": "song.mp3"} | fields
        upload = Upload(
            state=state,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            **fields,
        )
        upload.audio.save(random_name(), ContentFile(content), save=False)
        upload.save()
        return upload

    return make


def _needed(state: State, version: ModelVersion) -> dict[str, Any]:
    now = timezone.now()
    if state in RUNNING:
        left = {"attempts_left": 2, "model_version": version}
        return {"heartbeat_at": now, "started_at": now, "attempt": 1, **left}
    if state is State.FINISHED:
        return {"finished_at": now, "duration": 20.0, "attempt": 1, "model_version": version}
    if state is State.FAILED:
        return {"finished_at": now, "error_code": "internal", "attempt": 1}
    return {}


@pytest.fixture
def answered(upload: Upper, tracks: list[Track]) -> Upload:
    """A finished upload with three matches; the first matches in one span."""
    done = upload(State.FINISHED)
    for rank, track in enumerate(tracks, start=1):
        Match.objects.create(
            upload=done,
            rank=rank,
            track=track,
            score=90.0 - 30 * rank,
            distance=0.1 * rank,
            spans=[{"query": [12.0, 18.0], "match": [2.0, 8.0]}] if rank == 1 else [],
        )
    return done


# --- a real browser --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright runs an event loop in this thread, which Django would take for its own."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


def signed_in(context: BrowserContext, site: LiveServer, client: Client) -> Page:
    """A page of somebody who has signed in already."""
    context.set_default_timeout(30_000)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.url}])
    return context.new_page()


@pytest.fixture
def window(live_server: LiveServer, context: BrowserContext, owner_client: Client) -> Page:
    return signed_in(context, live_server, owner_client)


@pytest.fixture
def plain_window(live_server: LiveServer, browser: Browser, owner_client: Client) -> Iterator[Page]:
    """The same in a browser without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    yield signed_in(context, live_server, owner_client)
    context.close()
