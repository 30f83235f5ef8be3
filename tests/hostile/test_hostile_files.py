"""Every hostile file ends answered, or refused with its code; the process that asked goes on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from benchmarks.fuzz import hear
from benchmarks.mutations import LARGEST, mutated
from matcher.errors import TEXTS
from ml import isolated
from ml.model import Model
from ml.pretrained import DEFAULT
from tests.hostile.files import ANSWERED, REFUSED, sounds

FORMATS = sorted(sounds())
ENDS = {"answered", *TEXTS}


@cache
def model() -> Model:
    return Model.load(DEFAULT)


def outcome(content: bytes) -> str:
    """How a worker would end the upload, which was foreseen and left the same decoder at work."""
    decoder = isolated.decoder()
    result = hear(0, "", content, model())
    assert result.foreseen, result.outcome
    assert isolated.decoder() is decoder
    return result.outcome


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_with_its_code(name: str) -> None:
    code, made = REFUSED[name]
    assert outcome(made()) == code


@pytest.mark.parametrize("name", ANSWERED)
def test_a_strange_file_that_holds_sound_is_answered(name: str) -> None:
    assert outcome(ANSWERED[name]()) == "answered"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_cut_anywhere_is_answered_or_refused(kind: str) -> None:
    content = sounds()[kind]
    assert outcome(content) == "answered"
    ends = [outcome(content[: len(content) * part // 8]) for part in (7, 4, 2)]
    assert ends[0] in ("answered", "damaged")  # an m4a's index lies at its end
    assert {*ends} <= {"answered", "damaged", "too-short", "silent"}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(some.sampled_from(FORMATS), some.sampled_from(FORMATS), some.integers(0, 1 << 32))
def test_a_file_after_mutations_is_answered_or_refused(kind: str, other: str, seed: int) -> None:
    assert outcome(mutated(Random(seed), sounds()[kind], sounds()[other])) in ENDS


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large],
)
@given(
    some.sampled_from(FORMATS), some.integers(0, LARGEST), some.binary(min_size=1, max_size=LARGEST)
)
def test_bytes_put_anywhere_into_a_file_are_answered_or_refused(
    kind: str, place: int, piece: bytes
) -> None:
    content = sounds()[kind]
    assert outcome(content[:place] + piece + content[place + len(piece) :]) in ENDS


def test_a_wrong_ending_changes_nothing(tmp_path: Path) -> None:
    for kind, ending in (("wav", "mp3"), ("mp3", "wav"), ("ogg", "txt"), ("flac", "raw")):
        path = tmp_path / f"song.{ending}"
        path.write_bytes(sounds()[kind])
        assert isolated.decode(path, max_seconds=60).duration == pytest.approx(3.0, abs=0.2)
