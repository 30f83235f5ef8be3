"""docs/api.md and examples/client.py as somebody would follow them, on a site with its workers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from benchmarks.site import ROOT, Site
from ml.synth import SAMPLE_RATE, compose, render

pytestmark = [pytest.mark.live]

MAKE_TOKEN = (
    "from django.contrib.auth.models import User; from matcher.api import tokens; "
    "print(tokens.make(User.objects.get(username='{}'), 'docs', ['read', 'match'])[1])"
)


@pytest.fixture(scope="module")
def environment(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three pieces are in the catalogue; what the documentation exports is set."""
    folder = tmp_path_factory.mktemp("Composed")
    for number in range(3):
        soundfile.write(folder / f"Piece {number}.flac", render(compose(number), 40.0), SAMPLE_RATE)
    for command in (["import_tracks", str(folder)], ["await_index"]):
        done = site.manage(*command)
        assert done.returncode == 0, done.stderr
    (token,) = site.ask(MAKE_TOKEN.format(site.user))
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SOUNDSITE_URL": site.url,
        "SOUNDSITE_TOKEN": token,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the documentation is followed: with a song and the examples."""
    excerpt = render(compose(1), 40.0)[8 * SAMPLE_RATE : 30 * SAMPLE_RATE]
    soundfile.write(tmp_path / "song.flac", excerpt, SAMPLE_RATE)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def commands() -> str:
    """Every line of the documentation's shell blocks, but for the one with example values."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/api.md").read_text(), re.M | re.S)
    assert len(blocks) > 6
    return "".join(block for block in blocks if not block.startswith("export "))


def run(environment: dict[str, str], folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_line_of_the_documentation_works(environment: dict[str, str], folder: Path) -> None:
    run(environment, folder, "bash", "-euo", "pipefail", "-c", commands())
    for name in ("result.json", "narrower.json"):
        result = json.loads((folder / name).read_text())
        assert result["matches"][0]["track"]["title"] == "Piece 1"
    assert json.loads((folder / "job.json").read_text())["state"] == "FINISHED"


def test_the_client_tells_the_piece_and_where_it_matches(
    environment: dict[str, str], folder: Path
) -> None:
    told = run(environment, folder, sys.executable, "examples/client.py", "match", "song.flac")
    first = told.splitlines()
    assert "1. Piece 1" in first[0]
    assert "same recording" in first[1]
    assert re.search(r"\d+-\d+ s of yours ~ \d+-\d+ s of theirs", told)


def test_the_client_says_what_is_wrong_in_one_sentence(
    environment: dict[str, str], folder: Path
) -> None:
    (folder / "words.mp3").write_text("These are only words. " * 200)
    done = subprocess.run(
        [sys.executable, "examples/client.py", "match", "words.mp3"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "This is not an audio file we can read" in done.stderr
    assert "Traceback" not in done.stderr
