"""What a model measured in a piece, in words."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ml.encoding import Encoding

CLEAR_KEY = 0.6
TONICS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")

Words = Callable[[Mapping[str, float]], str]


def fact_words(heard: bytes) -> list[tuple[str | Promise, str]]:
    """What is known of a piece, as (label, value), from its encoding as an index entry keeps it."""
    try:
        facts = Encoding.from_bytes(heard).facts
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return []
    return [(label, words) for label, told in FACTS if (words := told(facts))]


def _measure(name: str, words: str | Promise) -> Words:
    def told(facts: Mapping[str, float]) -> str:
        return str(words) % facts[name] if facts.get(name) else ""

    return told


def _key(facts: Mapping[str, float]) -> str:
    if facts.get("key_clarity", 0.0) < CLEAR_KEY:
        return ""
    key = int(facts["key"])
    words = _("%s major") if key < 12 else _("%s minor")
    return words % TONICS[key % 12]


FACTS: tuple[tuple[str | Promise, Words], ...] = (
    (gettext_lazy("Tempo"), _measure("tempo", gettext_lazy("%.0f bpm"))),
    (gettext_lazy("Key"), _key),
    (gettext_lazy("Density"), _measure("density", gettext_lazy("%.1f onsets a second"))),
    (gettext_lazy("Brightness"), _measure("brightness", gettext_lazy("%.0f Hz on average"))),
    (gettext_lazy("Loudness"), _measure("loudness", gettext_lazy("%.0f dB on average"))),
    (gettext_lazy("Dynamics"), _measure("dynamics", gettext_lazy("%.0f dB from quiet to loud"))),
)
