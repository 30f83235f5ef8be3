"""A site whose media lie on a store that speaks S3: sent, answered and played in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Page, expect

from benchmarks import browser
from benchmarks.site import Site, fresh_site
from ml.synth import SAMPLE_RATE, compose, render
from tests.stores import Store, running_store

pytestmark = [pytest.mark.live, pytest.mark.browser]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as store:
        yield store


@pytest.fixture(scope="module")
def site(store: Store) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in store.environment().items():
            environment.setenv(name, value)
        with fresh_site() as site:
            yield site


@pytest.fixture
def window() -> Iterator[Page]:
    with browser.window() as page:
        yield page


def test_both_sounds_of_an_answer_are_played_from_the_store(
    site: Site, store: Store, window: Page, tmp_path: Path
) -> None:
    pieces = tmp_path / "Composed"
    pieces.mkdir()
    for number in range(3):
        soundfile.write(pieces / f"{number}.flac", render(compose(number), 12.0), SAMPLE_RATE)
    for command in (["import_tracks", str(pieces)], ["await_index"]):
        assert site.manage(*command).returncode == 0, command
    song = tmp_path / "song.mp3"
    soundfile.write(song, render(compose(1), 12.0) * 0.5, SAMPLE_RATE, format="MP3")
    window.goto(f"{site.url}/accounts/login/?next=/uploads/new/")
    window.fill("#id_login", site.user)
    window.fill("#id_password", site.password)
    window.click("form button[type=submit]")
    window.set_input_files("#audio", song)
    window.click("#send")
    expect(window.locator("#answer")).to_have_attribute("data-title", "1", timeout=60_000)
    assert {name.partition("/")[0] for name in store.names()} == {"tracks", "uploads"}
    assert not [path for path in (site.folder / "media").rglob("*") if path.is_file()]
    played = window.evaluate(
        """async () => {
            const lengths = [];
            for (const player of [...document.querySelectorAll("audio")].slice(0, 2)) {
                player.muted = true;
                await player.play();
                lengths.push(Math.round(player.duration));
            }
            return lengths;
        }"""
    )
    assert played == [12, 12]
