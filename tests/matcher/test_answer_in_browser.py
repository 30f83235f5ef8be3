"""The answer in a real browser: pairs that light up, and are heard one after the other."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from matcher import jobs
from matcher.models import State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.looks import add_pictures
from tests.matcher.sounds import burst
from tests.matcher.test_jobs import Found, Span
from tracks.models import Track

pytestmark = [
    pytest.mark.browser,
]

SECONDS = 6.0
YOURS, THEIRS = (2.0, 3.0), (4.0, 5.0)  # where the two files sound; they are silent elsewhere
LIT, DIM = "0.47", "0.17"

# Notes for each player that plays: its id, its second, and the energy that comes out of it.
LISTEN = """() => {
    const context = new AudioContext();
    const samples = new Float32Array(1024);
    const ears = ["yours", "theirs-1"].map((id) => {
        const player = document.getElementById(id);
        const ear = context.createAnalyser();
        ear.fftSize = samples.length;
        context.createMediaElementSource(player).connect(ear).connect(context.destination);
        return [player, ear];
    });
    window.heard = [];
    setInterval(() => {
        for (const [player, ear] of ears.filter(([player]) => !player.paused)) {
            ear.getFloatTimeDomainData(samples);
            const energy = samples.reduce((sum, sample) => sum + sample * sample, 0);
            window.heard.push([player.id, player.currentTime, energy]);
        }
    }, 10);
    return context.resume();
}"""


@pytest.fixture
def answer(upload: Upper, tracks: list[Track]) -> Upload:
    """Answered with two tracks whose first matches in two spans, and with pictures."""
    job = upload(State.SEARCHING, content=burst(SECONDS, *YOURS))
    tracks[0].audio.save("x.wav", ContentFile(burst(SECONDS, *THEIRS)))
    Track.objects.update(duration=SECONDS)
    spans = (Span(*YOURS, *THEIRS), Span(4.5, 5.5, 0.5, 1.5))
    jobs.finish(job, [Found(tracks[0], spans=spans), Found(tracks[1])], duration=SECONDS)
    add_pictures(job)
    return job


@pytest.fixture
def shown(live_server: LiveServer, window: Page, answer: Upload) -> Page:
    window.goto(f"{live_server.url}/uploads/{answer.pk}/")
    return window


def places(shown: Page, pair: int) -> list[str]:
    """How the two places of a pair are tinted."""
    rects = shown.locator(f'#answer .wave [data-pair="{pair}"] rect')
    return rects.evaluate_all("all => all.map(one => getComputedStyle(one).fillOpacity)")


def slow_down(shown: Page) -> None:
    """A span of a second then lasts sixteen: nothing is over before it is looked at."""
    shown.evaluate(
        """for (const player of document.querySelectorAll("audio")) {
            player.defaultPlaybackRate = player.playbackRate = 1 / 16;
        }"""
    )


def is_playing(shown: Page, player: str) -> None:
    shown.wait_for_function("id => !document.getElementById(id).paused", arg=player)


def test_a_span_is_heard_in_yours_and_then_in_theirs(shown: Page) -> None:
    shown.click("h1")  # a browser lets only a page that was touched make a sound
    shown.evaluate(LISTEN)
    shown.click('#answer .span[data-pair="1"]')
    expect(shown.locator("#announcement")).to_have_text("Both were played")
    heard = shown.evaluate("heard")
    order = [name for name, *_ in heard]
    assert order == sorted(order, key=["yours", "theirs-1"].index), "they were heard at once"
    for player, (start, end) in (("yours", YOURS), ("theirs-1", THEIRS)):
        seconds = [second for name, second, _ in heard if name == player]
        assert seconds == sorted(seconds)
        assert start <= seconds[0] < seconds[-1] < end + 1, f"{player} left its span"
        energies = [energy for name, _, energy in heard if name == player]
        assert max(energies) > 10, f"{player} made no sound"


def test_what_is_heard_of_both_files_is_where_they_sound(shown: Page) -> None:
    measure = """async ([id, start, end]) => {
        const file = await fetch(document.getElementById(id).src);
        const decoder = new OfflineAudioContext(1, 8000, 8000);
        const sound = await decoder.decodeAudioData(await file.arrayBuffer());
        const energy = (from, to) => sound.getChannelData(0)
            .slice(from * sound.sampleRate, to * sound.sampleRate)
            .reduce((sum, sample) => sum + sample * sample, 0);
        return [energy(start, end), energy(0, sound.duration)];
    }"""
    at = shown.locator('#answer .span[data-pair="1"]').get_attribute("data-at")
    assert at is not None
    a, b, c, d = map(float, at.split(","))
    for place in (["yours", a, b], ["theirs-1", c, d]):
        within, whole = shown.evaluate(measure, place)
        assert within > 100
        assert within == pytest.approx(whole, rel=0.01)


def test_escape_stops_what_is_heard_and_says_so(shown: Page) -> None:
    slow_down(shown)
    button = shown.locator('#answer .span[data-pair="1"]')
    button.click()
    is_playing(shown, "yours")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(shown.locator("#announcement")).to_have_text("Yours, 0:02–0:03")
    shown.keyboard.press("Escape")
    expect(shown.locator("#announcement")).to_have_text("Stopped")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert shown.evaluate("[...document.querySelectorAll('audio')].every(one => one.paused)")


def test_the_keyboard_alone_reaches_a_place_lights_its_pair_and_plays_it(shown: Page) -> None:
    slow_down(shown)
    place = shown.locator('.wave[data-of="theirs-1"] a[data-pair="2"]')
    shown.keyboard.press("Tab")
    while not place.evaluate("one => one === document.activeElement"):
        assert shown.evaluate("document.activeElement !== document.body"), "it was not reached"
        shown.keyboard.press("Tab")
    assert (places(shown, 1), places(shown, 2)) == ([DIM] * 2, [LIT] * 2)
    shown.keyboard.press("Enter")
    is_playing(shown, "yours")
    expect(shown.locator('#answer .span[data-pair="2"]')).to_have_attribute("aria-pressed", "true")


def test_hovering_over_one_place_lights_the_other_the_bridge_and_the_button(shown: Page) -> None:
    assert places(shown, 1) == [DIM] * 2
    shown.locator('.wave[data-of="yours"] a[data-pair="1"]').hover()
    assert (places(shown, 1), places(shown, 2)) == ([LIT] * 2, [DIM] * 2)
    expect(shown.locator('#answer .bridge [data-pair="1"]')).to_have_css("opacity", "0.64")
    expect(shown.locator('#answer .bridge [data-pair="2"]')).to_have_css("opacity", "0.24")


def test_a_click_beside_the_places_plays_on_from_there(shown: Page) -> None:
    box = shown.locator('#answer .wave[data-of="yours"]').bounding_box()
    assert box is not None
    shown.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    is_playing(shown, "yours")
    shown.wait_for_function("() => document.getElementById('yours').currentTime >= 0.59 * 6")
    expect(shown.locator('#answer .wave[data-of="yours"] .playhead')).to_have_count(1)


def test_a_player_stopped_by_hand_ends_the_comparison(shown: Page) -> None:
    slow_down(shown)
    shown.click('#answer .span[data-pair="1"]')
    is_playing(shown, "yours")
    shown.evaluate("document.getElementById('yours').pause()")
    expect(shown.locator("#announcement")).to_have_text("Stopped")
    assert shown.evaluate("document.getElementById('theirs-1').paused")


def test_without_scripts_a_place_leads_to_its_seconds_of_the_file(
    live_server: LiveServer, plain_window: Page, answer: Upload
) -> None:
    plain_window.goto(f"{live_server.url}/uploads/{answer.pk}/")
    expect(plain_window.locator(".span").first).to_be_hidden()
    plain_window.get_by_role("link", name="0:02–0:03", exact=True).first.click()
    plain_window.wait_for_url(f"**/uploads/{answer.pk}/audio/#t=2.0,3.0")
