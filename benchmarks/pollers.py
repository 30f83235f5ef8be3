"""What locust runs for `benchmarks.polling`: pages that wait, and people who send files in.

A page asks as htmx does: at the address and as often as its HTML says, which each answer that has
something new replaces.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, HttpUser, constant, events, task

PEOPLE = json.loads(Path(os.environ["POLLING_PEOPLE"]).read_text())
SONG = Path(os.environ["POLLING_SONG"]).read_bytes()
SENDERS = [session for session, page in PEOPLE if not page]
PAGES = [(session, page) for session, page in PEOPLE if page]
SEND_EVERY = 5  # seconds

measured: list[tuple[str, float, int]] = []  # what was asked, milliseconds, status


@events.request.add_listener
def note(name: str, response_time: float, response: Any, **_: object) -> None:
    measured.append((name, response_time, getattr(response, "status_code", 0) or 0))


@events.spawning_complete.add_listener
def begin(**_: object) -> None:
    """While the pages are opened nothing is measured yet."""
    measured.clear()


@events.quitting.add_listener
def write(**_: object) -> None:
    Path(os.environ["POLLING_RESULT"]).write_text(json.dumps(measured))


class Waiting(FastHttpUser):
    """A page of a waiting job, open in a browser."""

    def on_start(self) -> None:
        time.sleep(random.random())  # locust starts its users once a second, all at one moment
        session, page = PAGES.pop()
        self.headers = {"Cookie": f"sessionid={session}"}
        self.address, self.pause = "", 0.0
        self._read(self.client.get(page, headers=self.headers, name="page").text or "")
        self.headers["HX-Request"] = "true"

    @task
    def poll(self) -> None:
        time.sleep(self.pause)
        answer = self.client.get(self.address, headers=self.headers, name="poll")
        if answer.status_code != 204:
            self._read(answer.text or "")

    def _read(self, html: str) -> None:
        """The page of a job that has ended asks no more."""
        address = re.search(r'hx-get="([^"]*/status/[^"]*)"', html)
        pause = re.search(r'hx-trigger="every (\d+)ms"', html)
        if address and pause:
            self.address, self.pause = address[1], int(pause[1]) / 1000
        else:
            self.stop()


class Sending(HttpUser):
    """Somebody who sends a file in every few seconds."""

    fixed_count = len(SENDERS)
    wait_time = constant(SEND_EVERY)

    def on_start(self) -> None:
        self.client.cookies.set("sessionid", SENDERS.pop())
        self.client.get("/uploads/new/", name="form")

    @task
    def send(self) -> None:
        token = self.client.cookies["csrftoken"]
        self.client.post(
            "/uploads/new/",
            {"csrfmiddlewaretoken": token},
            files={"audio": ("song.wav", SONG)},
            headers={"X-Requested-With": "XMLHttpRequest"},
            name="upload",
        )
