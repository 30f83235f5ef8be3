"""Somebody who uses the site by HTTP alone, as a script would."""

from __future__ import annotations

import http.cookiejar
import json
import re
import shutil
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

BOUNDARY = "soundsite-form"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
FORM = "application/x-www-form-urlencoded"
PATIENCE_SECONDS = 120  # with a server that says nothing


class Visitor:
    """Keeps its cookies; every address is relative to the site's."""

    def __init__(self, site_url: str) -> None:
        self._site = site_url
        self._jar = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self._jar)
        self._browser = urllib.request.build_opener(cookies)

    def get(self, address: str) -> str:
        with self._browser.open(self._absolute(address), timeout=PATIENCE_SECONDS) as answer:
            return str(answer.read().decode())

    def get_bytes(self, address: str, part: str) -> bytes:
        """That range of what lies there, wherever it is sent on to."""
        request = urllib.request.Request(self._absolute(address), headers={"Range": part})
        with self._browser.open(request, timeout=PATIENCE_SECONDS) as answer:
            return bytes(answer.read())

    def sign_in(self, user: str, password: str, after: str = "/uploads/new/") -> str:
        """The path where the sign-in form leads."""
        fields = {"login": user, "password": password, "next": after}
        return self.order("/accounts/login/", "/accounts/login/", **fields)

    def upload(self, path: Path) -> str:
        """The path of the result page."""
        with path.open("rb") as audio:
            return self.send("/uploads/new/", {"audio": audio})

    def hand_in(self, path: Path) -> str:
        """The same as the page's script does it: one request, answered 201 with that path."""
        with path.open("rb") as audio, tempfile.TemporaryFile() as body:
            _write_form(body, {"audio": audio, **self._token()})
            size = body.tell()
            body.seek(0)
            request = self._request("/uploads/new/", body, MULTIPART, size)
            request.add_header("X-Requested-With", "XMLHttpRequest")
            with self._browser.open(request, timeout=PATIENCE_SECONDS) as answer:
                return str(json.load(answer)["url"])

    def add_track(self, path: Path, title: str) -> None:
        """Add a track by the administration's form."""
        address = "/admin/tracks/track/add/"
        texts = dict.fromkeys(("artist", "soundtrack", "licence", "source", "source_url"), "")
        with path.open("rb") as audio:
            there = self.send(address, {**texts, "title": title, "audio": audio})
        assert there != address, "the form was refused"

    def delete_track(self, number: int) -> None:
        """Delete a track in the administration, confirmed."""
        address = f"/admin/tracks/track/{number}/delete/"
        self.order(address, address, post="yes")

    def order(self, address: str, page: str, **fields: str) -> str:
        """Press a button of a page; gives back where it leads."""
        self.get(page)
        body = urllib.parse.urlencode({**fields, **self._token()}).encode()
        return self._post(address, body, FORM, len(body))

    def send(self, address: str, fields: Mapping[str, Any], form: str = "") -> str:
        """The path where a form with these fields leads, which the page `form` or itself shows.

        A field may be a file open for reading, of any size: it is sent in blocks.
        """
        self.get(form or address)
        with tempfile.TemporaryFile() as body:
            _write_form(body, {**fields, **self._token()})
            size = body.tell()
            body.seek(0)
            return self._post(address, body, MULTIPART, size)

    def job(self, address: str) -> dict[str, str]:
        """The attributes state, error, title, ... that the result page has for scripts."""
        page = self.get(address)
        tags = re.findall(r'<[^>]*\bid="(?:job|answer)"[^>]*>', page)
        return dict(re.findall(r'\bdata-(\w+)="([^"]*)"', " ".join(tags)))

    def _post(self, address: str, body: bytes | IO[bytes], kind: str, size: int) -> str:
        request = self._request(address, body, kind, size)
        with self._browser.open(request, timeout=PATIENCE_SECONDS) as answer:
            return urllib.parse.urlsplit(answer.url).path

    def _request(
        self, address: str, body: bytes | IO[bytes], kind: str, size: int
    ) -> urllib.request.Request:
        headers = {"Referer": self._absolute(address), "Content-Type": kind}
        request = urllib.request.Request(self._absolute(address), body, headers)
        request.add_header("Content-Length", str(size))
        return request

    def _token(self) -> dict[str, str]:
        found = (cookie.value for cookie in self._jar if cookie.name == "csrftoken")
        return {"csrfmiddlewaretoken": next(found) or ""}

    def _absolute(self, address: str) -> str:
        return urllib.parse.urljoin(self._site, address)


def _write_form(body: IO[bytes], fields: Mapping[str, Any]) -> None:
    """The fields as multipart/form-data (RFC 7578)."""
    for name, value in fields.items():
        kept = f'form-data; name="{name}"'
        if hasattr(value, "read"):
            file = Path(value.name).name.replace('"', "%22")
            kept += f'; filename="{file}"\r\nContent-Type: application/octet-stream'
        body.write(f"--{BOUNDARY}\r\nContent-Disposition: {kept}\r\n\r\n".encode())
        if hasattr(value, "read"):
            shutil.copyfileobj(value, body)
        else:
            body.write(str(value).encode())
        body.write(b"\r\n")
    body.write(f"--{BOUNDARY}--\r\n".encode())
