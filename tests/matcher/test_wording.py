"""Reasons and scores as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from matcher.wording import reason

CODES = {"code": "codes", "yours": 0.42, "theirs": 0.38, "shared": 23, "rare": 7}
KEY = {"code": "key", "yours": 14, "theirs": 14, "clarity": [0.82, 0.781]}


def told(code: str, yours: float, theirs: float) -> str:
    return str(reason({"code": code, "yours": yours, "theirs": theirs, "strength": 0.9}))


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({}, "23 codes in common, 7 of them rare (42 % of yours, 38 % of theirs)"),
        ({"rare": 0}, "23 codes in common (42 % of yours, 38 % of theirs)"),
        ({"shared": 1, "rare": 1}, "1 code in common, a rare one (42 % of yours, 38 % of theirs)"),
    ],
)
def test_shared_codes_are_counted(numbers: dict[str, Any], words: str) -> None:
    assert str(reason(CODES | numbers)) == words


@pytest.mark.parametrize(
    ("yours", "theirs", "words"),
    [
        (120.1, 121.0, "The same tempo (120 and 121 beats a minute)"),
        (120.0, 127.0, "Nearly the same tempo (120 and 127 beats a minute)"),
        (60.2, 121.0, "Theirs has twice your tempo (60 and 121 beats a minute)"),
        (140.0, 71.0, "Theirs has half your tempo (140 and 71 beats a minute)"),
    ],
)
def test_half_and_double_tempo_are_said(yours: float, theirs: float, words: str) -> None:
    assert told("tempo", yours, theirs) == words


@pytest.mark.parametrize(
    ("code", "yours", "theirs", "words"),
    [
        ("brightness", 1240.4, 1250.0, "Equally bright (1240 and 1250 Hz)"),
        ("brightness", 1240.4, 1400.0, "Nearly equally bright (1240 and 1400 Hz)"),
        ("loudness", 33.1, 33.52, "Equally loud (0.4 dB apart)"),
        ("loudness", 33.1, 35.2, "Nearly equally loud (2.1 dB apart)"),
        ("dynamics", 18.0, 18.44, "As far from quiet to loud (18.0 and 18.4 dB)"),
        ("dynamics", 18.0, 15.5, "Nearly as far from quiet to loud (18.0 and 15.5 dB)"),
        ("density", 3.12, 3.18, "Sounds set in equally often (3.1 and 3.2 a second)"),
        ("density", 3.12, 3.5, "Sounds set in nearly as often (3.1 and 3.5 a second)"),
    ],
)
def test_each_measure_is_told_with_both_numbers(
    code: str, yours: float, theirs: float, words: str
) -> None:
    assert told(code, yours, theirs) == words


def test_keys_have_their_names() -> None:
    assert str(reason(KEY)) == "The same key (D minor; clear by 0.82 and 0.78)"
    assert str(reason(KEY | {"yours": 5})) == (
        "Related keys, made of the same notes (F major and D minor; clear by 0.82 and 0.78)"
    )


def test_a_reason_has_a_title_its_words_and_its_numbers_apart() -> None:
    found = reason(CODES)
    assert (found.title, found.numbers) == ("Shared codes", "42 % of yours, 38 % of theirs")
