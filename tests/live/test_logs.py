"""What a person sent leaves no trace in the logs of any process."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.site import Site, wait_until
from benchmarks.visitor import Visitor

pytestmark = pytest.mark.live

PERSON, PHRASE = "telltale.person", "a-long-enough-phrase-7"


def test_no_log_names_a_person_or_a_file(site: Site, tmp_path: Path) -> None:
    made = f"create_user('{PERSON}', '{PERSON}@example.org', '{PHRASE}')"
    site.ask(f"from django.contrib.auth.models import User; User.objects.{made}")
    visitor = Visitor(site.url)
    visitor.sign_in(PERSON, PHRASE)
    song = tmp_path / "telltale song.mp3"
    song.write_bytes(b"ID3" + bytes(2000))  # no music: its job fails, which is logged
    page = visitor.upload(song)
    wait_until(lambda: visitor.job(page)["state"] == "FAILED", seconds=120, every=0.2)
    upload = page.strip("/").rpartition("/")[2]
    logs = {path.name: path.read_text(errors="replace") for path in site.folder.rglob("*.log*")}
    assert any(upload in text for text in logs.values())
    assert [name for name, text in logs.items() if "telltale" in text] == []
