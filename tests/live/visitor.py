"""Somebody who uses the site by HTTP alone, as a script would."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart


class Visitor:
    """Keeps its cookies; every address is relative to the site's."""

    def __init__(self, site_url: str) -> None:
        self._site = site_url
        self._jar = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self._jar)
        self._browser = urllib.request.build_opener(cookies)

    def get(self, address: str) -> str:
        with self._browser.open(self._absolute(address)) as answer:
            return str(answer.read().decode())

    def sign_in(self, user: str, password: str, after: str = "/uploads/new/") -> str:
        """The path where the sign-in form leads."""
        self.get("/accounts/login/")
        fields = {"login": user, "password": password, "next": after, **self._token()}
        return self._post("/accounts/login/", urllib.parse.urlencode(fields).encode())

    def upload(self, path: Path) -> str:
        """The path of the result page."""
        self.get("/uploads/new/")
        with path.open("rb") as audio:
            body = encode_multipart(BOUNDARY, {"audio": audio, **self._token()})
        return self._post("/uploads/new/", body, MULTIPART_CONTENT)

    def add_track(self, path: Path, title: str) -> None:
        """Add a track by the administration's form."""
        address = "/admin/tracks/track/add/"
        self.get(address)
        texts = dict.fromkeys(("artist", "soundtrack", "licence", "source", "source_url"), "")
        with path.open("rb") as audio:
            fields = {**texts, "title": title, "audio": audio, **self._token()}
            body = encode_multipart(BOUNDARY, fields)
        assert self._post(address, body, MULTIPART_CONTENT) != address, "the form was refused"

    def delete_track(self, number: int) -> None:
        """Delete a track in the administration, confirmed."""
        address = f"/admin/tracks/track/{number}/delete/"
        self.get(address)
        fields = urllib.parse.urlencode({"post": "yes", **self._token()})
        self._post(address, fields.encode())

    def order(self, address: str, page: str, **fields: str) -> str:
        """Press a button of a page of the administration; gives back where it leads."""
        self.get(page)
        return self._post(address, urllib.parse.urlencode({**fields, **self._token()}).encode())

    def send(self, address: str, fields: dict[str, Any], form: str = "") -> str:
        """The path where a form with these fields leads, which the page `form` or itself shows."""
        self.get(form or address)
        body = encode_multipart(BOUNDARY, {**fields, **self._token()})
        return self._post(address, body, MULTIPART_CONTENT)

    def job(self, address: str) -> dict[str, str]:
        """The attributes state, error, title, ... that the result page has for scripts."""
        page = self.get(address)
        tags = re.findall(r'<[^>]*\bid="(?:job|answer)"[^>]*>', page)
        return dict(re.findall(r'\bdata-(\w+)="([^"]*)"', " ".join(tags)))

    def _post(self, address: str, body: bytes, kind: str | None = None) -> str:
        headers = {"Referer": self._absolute(address), **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(self._absolute(address), body, headers)
        with self._browser.open(request) as answer:
            return urllib.parse.urlsplit(answer.url).path

    def _token(self) -> dict[str, str]:
        found = (cookie.value for cookie in self._jar if cookie.name == "csrftoken")
        return {"csrfmiddlewaretoken": next(found) or ""}

    def _absolute(self, address: str) -> str:
        return urllib.parse.urljoin(self._site, address)
