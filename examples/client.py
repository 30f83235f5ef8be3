"""A client of Soundsite's API in one file, with nothing but Python's standard library.

    export SOUNDSITE_URL=http://127.0.0.1:8000 SOUNDSITE_TOKEN=soundsite_...
    python examples/client.py match song.mp3
    python examples/client.py search dungeon --genre ambient
    python examples/client.py similar 17 --tempo-from 90 --tempo-to 120

or, from another program:

    site = Soundsite("http://127.0.0.1:8000", "soundsite_...")
    job = site.wait(site.upload(Path("song.mp3")))
    for match in site.matches(job):
        print(match.score, match.track.title)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

BLOCK = 64 * 1024
TRIES = 5


class Problem(Exception):
    """An error of the API: `code` is stable, the rest is for people."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.code: str = told["code"]
        self.status: int = told["status"]
        super().__init__(f"{told['title']}. {told['detail']}")


@dataclass(frozen=True)
class Track:
    id: int
    title: str
    artist: str
    soundtrack: str
    genre: str
    licence: str
    page_url: str
    audio_url: str

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Track:
        return cls(**{name: told[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Job:
    """`state` is QUEUED, a stage, FINISHED or FAILED; `failure` says why it failed."""

    id: str
    url: str
    name: str
    state: str
    ended: bool
    position: int | None
    failure: Mapping[str, Any] | None
    result_url: str | None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Job:
        return cls(**{name: told[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Span:
    """Seconds of the query, and the seconds of the track that sound like them."""

    query: tuple[float, float]
    match: tuple[float, float]


@dataclass(frozen=True)
class Match:
    rank: int
    track: Track
    score: float
    grade: str
    same_recording: bool
    spans: list[Span]
    reasons: list[Mapping[str, Any]]

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Match:
        spans = [Span(tuple(one["query"]), tuple(one["match"])) for one in told["spans"]]
        kept = {name: told[name] for name in ("rank", "score", "grade", "same_recording")}
        track, reasons = Track.read(told["track"]), list(told["reasons"])
        return cls(track=track, spans=spans, reasons=reasons, **kept)


class Soundsite:
    """The API of one site, for one token (the catalogue can be read without one).

    Each method raises Problem for an error of the API and OSError where there is no answer.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._api = f"{url.rstrip('/')}/api/v1"
        self._token = token

    def upload(self, path: Path) -> Job:
        """Send a file in. Sent again after a lost connection, it still counts once."""
        boundary = uuid.uuid4().hex
        name = quote(path.name)
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="audio"; '
            f"filename*=UTF-8''{name}\r\nContent-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
        }
        return Job.read(self._post("/uploads", lambda: _form(head, path, tail), headers))

    def job(self, job: Job) -> Job:
        """As it stands now."""
        return Job.read(self._call("GET", job.url))

    def wait(self, job: Job, *, seconds: float = 300, every: float = 1) -> Job:
        """The job when it has ended. Raises TimeoutError if it has not after so many seconds."""
        deadline = time.monotonic() + seconds
        while not job.ended:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{job.name} is still {job.state} after {seconds:g} s")
            time.sleep(every)
            job = self.job(job)
        return job

    def matches(self, job: Job) -> list[Match]:
        """The answer to a job that has ended, closest first; a failed job raises its Problem."""
        told = self._call("GET", f"{job.url}/result")
        return [Match.read(match) for match in told["matches"]]

    def ask(self, job: Job, **question: Any) -> Job:
        """Ask again about an upload that has ended: `filters`, `span`, `like`, `unlike`."""
        return Job.read(self._post_json(f"{job.url}/ask", question))

    def delete(self, job: Job) -> None:
        self._call("DELETE", job.url)

    def search(self, words: str = "", **filters: str) -> Iterator[Track]:
        """Tracks of the catalogue, page by page as they are asked for."""
        page, pages = 1, 1
        while page <= pages:
            told = self._call("GET", f"/tracks?{urlencode({'q': words, 'page': page, **filters})}")
            yield from (Track.read(track) for track in told["items"])
            page, pages = page + 1, told["pages"]

    def similar(self, track_id: int, **question: Any) -> Job:
        """What a track of the catalogue sounds like: `filters`, `like`, `unlike` as for `ask`."""
        return Job.read(self._post_json(f"/tracks/{track_id}/similar", question))

    def _post_json(self, address: str, question: Mapping[str, Any]) -> Any:
        body = json.dumps(question).encode()
        return self._post(address, lambda: body, {"Content-Type": "application/json"})

    def _post(self, address: str, body: Any, headers: Mapping[str, str]) -> Any:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return self._call("POST", address, body, {**headers, **key})

    def _call(
        self, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The answer's JSON. Tries again when it was too fast, or when there was no answer."""
        url = address if address.startswith("http") else self._api + address
        sent = {"Accept": "application/json", **(headers or {})}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        for last in (False,) * (TRIES - 1) + (True,):
            request = Request(url, body() if body else None, sent, method=method)
            try:
                with urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read() or "null")
            except HTTPError as error:
                if last or "Retry-After" not in error.headers or error.code != 429:
                    raise Problem(json.load(error)) from None
                time.sleep(int(error.headers["Retry-After"]))
            except OSError:
                if last:
                    raise
                time.sleep(1)
        raise AssertionError("the last try returns or raises")


def _form(head: bytes, path: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
    yield tail


def _show(site: Soundsite, job: Job) -> None:
    for match in site.matches(site.wait(job)):
        track = match.track
        print(f"{match.rank:3}. {track.title} ({track.soundtrack}), {track.licence}")
        print(f"     {match.grade}, {match.score:.0f} of 100; {track.page_url}")
        for span in match.spans[:3]:
            (a, b), (c, d) = span.query, span.match
            print(f"     {a:.0f}-{b:.0f} s of yours ~ {c:.0f}-{d:.0f} s of theirs")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ask a Soundsite what music sounds like.")
    parser.add_argument("--url", default=os.environ.get("SOUNDSITE_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--token", default=os.environ.get("SOUNDSITE_TOKEN", ""))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("match", help="what does this file sound like?").add_argument(
        "file", type=Path
    )
    search = commands.add_parser("search", help="look for tracks of the catalogue")
    search.add_argument("words", nargs="*")
    similar = commands.add_parser("similar", help="what does this track sound like?")
    similar.add_argument("track", type=int)
    for name in ("soundtrack", "artist", "genre", "licence"):
        search.add_argument(f"--{name}")
        similar.add_argument(f"--{name}")
    for name in ("tempo-from", "tempo-to", "seconds-from", "seconds-to"):
        similar.add_argument(f"--{name}", type=float)
    return parser.parse_args()


def main() -> int:
    options = vars(_arguments())
    site = Soundsite(options.pop("url"), options.pop("token"))
    command = options.pop("command")
    given = {name: value for name, value in options.items() if value is not None}
    try:
        if command == "match":
            _show(site, site.upload(given["file"]))
        elif command == "similar":
            _show(site, site.similar(given.pop("track"), filters=given))
        else:
            for track in site.search(" ".join(given.pop("words")), **given):
                print(f"{track.id:6} {track.title} ({track.soundtrack})")
    except (Problem, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
