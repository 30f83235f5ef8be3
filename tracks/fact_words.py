"""What a model measured in a piece, in words."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from ml.encoding import Encoding

CLEAR_KEY = 0.6
KEYS = (
    *(gettext_lazy("C major"), gettext_lazy("D flat major"), gettext_lazy("D major")),
    *(gettext_lazy("E flat major"), gettext_lazy("E major"), gettext_lazy("F major")),
    *(gettext_lazy("F sharp major"), gettext_lazy("G major"), gettext_lazy("A flat major")),
    *(gettext_lazy("A major"), gettext_lazy("B flat major"), gettext_lazy("B major")),
    *(gettext_lazy("C minor"), gettext_lazy("C sharp minor"), gettext_lazy("D minor")),
    *(gettext_lazy("E flat minor"), gettext_lazy("E minor"), gettext_lazy("F minor")),
    *(gettext_lazy("F sharp minor"), gettext_lazy("G minor"), gettext_lazy("G sharp minor")),
    *(gettext_lazy("A minor"), gettext_lazy("B flat minor"), gettext_lazy("B minor")),
)

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
    return str(KEYS[int(facts["key"])])


FACTS: tuple[tuple[str | Promise, Words], ...] = (
    (gettext_lazy("Tempo"), _measure("tempo", gettext_lazy("%.0f bpm"))),
    (gettext_lazy("Key"), _key),
    (gettext_lazy("Density"), _measure("density", gettext_lazy("%.1f onsets a second"))),
    (gettext_lazy("Brightness"), _measure("brightness", gettext_lazy("%.0f Hz on average"))),
    (gettext_lazy("Loudness"), _measure("loudness", gettext_lazy("%.0f dB on average"))),
    (gettext_lazy("Dynamics"), _measure("dynamics", gettext_lazy("%.0f dB from quiet to loud"))),
)
