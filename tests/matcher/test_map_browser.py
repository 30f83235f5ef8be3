"""The map in a real browser, with three thousand tracks: drawn, pointed at, heard, by keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from matcher.models import Match, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.sounds import tone
from tracks.models import IndexEntry, ModelVersion, Track

pytestmark = pytest.mark.browser
COUNT = 3000
# Of static/js/map/view.js: pixels around the outermost points, and how far the map is stretched.
MARGIN, STRETCH = 28, 1.6

# How many pixels of the canvas are painted, and in how many colours of at least 100 pixels.
PAINTED = """() => {
    const canvas = document.getElementById("map-canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = {};
    let painted = 0;
    for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 255) continue;
        painted += 1;
        const colour = data.slice(i, i + 3).join();
        colours[colour] = (colours[colour] || 0) + 1;
    }
    return [painted, Object.values(colours).filter((count) => count > 100).length];
}"""


@pytest.fixture
def many(version: ModelVersion) -> list[Track]:
    """Twenty soundtracks of 150 tracks each in a cloud of its own; one track alone in a corner."""
    generator = np.random.default_rng(0)
    centres = generator.uniform(0.15, 0.8, (20, 2))
    found = Track.objects.bulk_create(
        Track(
            title=f"Tune {n}",
            artist=f"Artist {n % 7}",
            soundtrack=f"Game {n % 20:02}",
            sha256=f"{n:064x}",
            size=1,
            audio="x.flac",
            duration=90,
        )
        for n in range(COUNT)
    )
    places = np.clip(centres[np.arange(COUNT) % 20] + generator.normal(0, 0.03, (COUNT, 2)), 0, 0.9)
    places[:2] = [[1.0, 1.0], [0.0, 0.0]]
    _index(version, found, places)
    found[0].audio.save("x.wav", ContentFile(tone(6)))
    return found


def _index(version: ModelVersion, tracks: list[Track], places: np.ndarray) -> None:
    IndexEntry.objects.bulk_create(
        IndexEntry(
            track=track,
            model_version=version,
            state=IndexEntry.State.INDEXED,
            embedding=[1, 0, 0, 0],
            encoding=b"x",
            indexed_at=timezone.now(),
            x=x,
            y=y,
        )
        for track, (x, y) in zip(tracks, places.tolist(), strict=True)
    )


@pytest.fixture
def mine(many: list[Track], upload: Upper) -> Upload:
    """An upload of the owner that lies upon a track in the other corner."""
    done = upload(State.FINISHED, original_name="my demo.mp3")
    Match.objects.create(upload=done, rank=1, track=many[1], score=50, distance=0.1)
    return done


@pytest.fixture
def window(live_server: LiveServer, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def look(window: Page, site: LiveServer, query: str = "") -> None:
    """Opens the map and waits until it is drawn."""
    window.goto(f"{site.url}/catalogue/map/{query}")
    expect(window.locator("#map")).to_have_attribute("data-drawn", "true")
    window.locator("#map-canvas").scroll_into_view_if_needed()


def corner(window: Page) -> tuple[float, float]:
    """Where in the window the track at the right and lower end of the whole map lies."""
    box = window.locator("#map-canvas").bounding_box()
    assert box is not None
    width, height = box["width"] / 2 - MARGIN, box["height"] / 2 - MARGIN
    across, down = min(width, height * STRETCH), min(height, width * STRETCH)
    return box["x"] + box["width"] / 2 + across, box["y"] + box["height"] / 2 + down


@pytest.mark.usefixtures("many")
def test_all_points_are_drawn_in_the_colours_of_the_legend(
    live_server: LiveServer, window: Page
) -> None:
    look(window, live_server)
    painted, colours = window.evaluate(PAINTED)
    assert painted > 10_000
    assert colours >= 9
    window.click(".legend-item >> nth=0")
    expect(window.locator(".legend-item").first).to_have_attribute("aria-pressed", "true")
    window.wait_for_function(f"() => ({PAINTED})()[0] < {painted / 3}")
    window.click(".legend-item >> nth=0")
    window.wait_for_function(f"() => ({PAINTED})()[0] > {painted * 0.9}")


def test_pointing_at_a_mark_names_its_track_and_a_click_opens_it(
    live_server: LiveServer, window: Page, many: list[Track]
) -> None:
    look(window, live_server)
    window.mouse.move(*corner(window))
    expect(window.locator("#map-label")).to_have_text("Tune 0")
    expect(window.locator("#map-about")).to_have_text("Artist 0 · Game 00")
    window.mouse.click(*corner(window))
    window.wait_for_url(f"**/catalogue/{many[0].pk}/")


@pytest.mark.usefixtures("many")
def test_nothing_sounds_until_somebody_asks_for_it(live_server: LiveServer, window: Page) -> None:
    look(window, live_server)
    window.mouse.move(*corner(window))
    expect(window.locator("#map-label")).to_have_text("Tune 0")
    assert window.evaluate("document.getElementById('map-audio').src") == ""
    window.click("#map-preview")
    window.mouse.move(*corner(window))
    window.mouse.move(corner(window)[0] + 2, corner(window)[1])
    window.wait_for_function("() => document.getElementById('map-audio').currentTime > 1.9")
    expect(window.locator("#map-hear")).to_have_text("Stop", use_inner_text=True)
    window.click("#map-preview")
    window.wait_for_function("() => document.getElementById('map-audio').paused")
    window.click("#map-hear")
    window.wait_for_function("() => !document.getElementById('map-audio').paused")


def test_the_map_can_be_used_by_keys(
    live_server: LiveServer, window: Page, many: list[Track]
) -> None:
    look(window, live_server, f"?track={many[0].pk}")
    expect(window.locator("#map-label")).to_have_text("Tune 0")
    window.focus("#map-canvas")
    window.keyboard.press("ArrowLeft")
    expect(window.locator("#map-said")).to_have_text(re.compile(r"^Tune [1-9]\d*, Artist \d"))
    first = window.locator("#map-title").inner_text()
    window.keyboard.press("ArrowUp")
    expect(window.locator("#map-title")).not_to_have_text(first)
    window.keyboard.press("+")
    expect(window.locator("#map-canvas")).to_have_class("closer")
    window.keyboard.press("0")
    expect(window.locator("#map-canvas")).not_to_have_class("closer")
    href = window.locator("#map-title").get_attribute("href")
    window.keyboard.press("Enter")
    window.wait_for_url(f"**{href}")


def test_dragging_and_the_wheel_move_the_map(
    live_server: LiveServer, window: Page, many: list[Track]
) -> None:
    look(window, live_server)
    x, y = corner(window)
    window.mouse.move(x, y)
    window.mouse.wheel(0, -400)  # the page's own, as long as nobody has clicked into the map
    expect(window.locator("#map-canvas")).not_to_have_class("closer")
    window.locator("#map-canvas").scroll_into_view_if_needed()
    window.locator("#map-canvas").click(position={"x": 5, "y": 5})
    x, y = corner(window)
    window.mouse.move(x, y)
    window.mouse.wheel(0, -400)
    expect(window.locator("#map-canvas")).to_have_class(re.compile("closer"))
    window.mouse.move(x - 8, y)
    expect(window.locator("#map-label")).to_have_text("Tune 0")  # it stayed where it was
    window.mouse.down()
    window.mouse.move(x - 150, y - 100, steps=4)
    window.mouse.up()
    window.mouse.move(x - 142, y - 100)
    box = window.locator("#map-label").bounding_box()
    assert box is not None
    assert abs(box["x"] + box["width"] / 2 - (x - 142)) < 12
    assert live_server.url + "/catalogue/map/" == window.url


def test_a_finger_chooses_a_mark_and_the_card_leads_on(
    live_server: LiveServer, browser: Browser, many: list[Track]
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    window = context.new_page()
    look(window, live_server)
    window.touchscreen.tap(*corner(window))
    expect(window.locator("#map-title")).to_have_text("Tune 0")
    window.tap("#map-title")
    window.wait_for_url(f"**/catalogue/{many[0].pk}/")
    context.close()


def test_ones_own_uploads_are_marks_that_lead_to_their_answers(
    live_server: LiveServer, window: Page, owner_client: Client, mine: Upload
) -> None:
    cookie = owner_client.cookies["sessionid"].value
    window.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    look(window, live_server)
    window.click("#map-yours button")
    window.focus("#map-canvas")
    window.keyboard.press("ArrowLeft")
    expect(window.locator("#map-title")).to_have_text("my demo.mp3")
    expect(window.locator("#map-about")).to_have_text("Your upload")
    window.keyboard.press("Enter")
    window.wait_for_url(f"**/uploads/{mine.pk}/")


@pytest.mark.usefixtures("many")
def test_points_that_do_not_come_are_said(live_server: LiveServer, window: Page) -> None:
    window.route("**/catalogue/map.json", lambda route: route.abort())
    window.goto(f"{live_server.url}/catalogue/map/")
    expect(window.locator("#map-error")).to_be_visible()
    expect(window.locator("#map-wait")).to_be_hidden()


@pytest.mark.usefixtures("many")
def test_without_javascript_there_is_the_list(live_server: LiveServer, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    window = context.new_page()
    window.goto(f"{live_server.url}/catalogue/map/")
    expect(window.locator("#map")).to_be_hidden()
    expect(window.locator("#list .name")).to_have_count(50)
    window.click("#list [rel=next]")
    expect(window.locator("#list .name").first).to_be_visible()
    context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_the_map_is_accessible_in_both_schemes_and_fits_a_phone(
    live_server: LiveServer,
    browser: Browser,
    owner_client: Client,
    mine: Upload,
    scheme: str,
    width: int,
) -> None:
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 844},
        reduced_motion="reduce",
    )
    cookie = owner_client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    window = context.new_page()
    look(window, live_server, f"?track={Match.objects.get().track_id}")
    window.click(".legend-item >> nth=1")
    found = Axe().run(window)
    assert found.violations_count == 0, found.generate_report()
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    source = window.content()
    assert not re.search(r"<style|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", source)
    context.close()
