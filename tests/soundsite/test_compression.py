"""What travels compressed, and what must not."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

GZIP = {"Accept-Encoding": "gzip"}


def test_a_stylesheet_travels_compressed(client: Client, settings: Any) -> None:
    response = client.get("/static/css/site.css", headers=GZIP)
    assert response["Content-Encoding"] == "gzip"
    content = b"".join(response)
    file = Path(settings.BASE_DIR) / "static" / "css" / "site.css"
    assert gzip.decompress(content) == file.read_bytes()
    assert len(content) < file.stat().st_size / 2


def test_who_cannot_unpack_it_gets_it_as_it_is(client: Client) -> None:
    response = client.get("/static/css/site.css")
    assert "Content-Encoding" not in response
    assert b"".join(response).startswith(b"/* Soundsite")


@pytest.mark.django_db
def test_a_page_travels_as_it_is(client: Client) -> None:
    assert "Content-Encoding" not in client.get("/", headers=GZIP)
