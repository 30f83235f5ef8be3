"""The one command asks for every block of the card on its own music."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import table
from tests.benchmarks.test_card import REPORT


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The arguments of each evaluation, which writes a report of its own making."""
    asked = []

    def evaluated(arguments):
        asked.append(arguments)
        Path(arguments[arguments.index("--json") + 1]).write_text(json.dumps(REPORT))
        return 0

    monkeypatch.setattr(table.evaluate, "main", evaluated)
    monkeypatch.setattr(table, "CARD", tmp_path / "card.md")
    monkeypatch.setattr(table, "REPORTS", tmp_path / "reports")
    blocks = ("demo", "all", "honest")
    table.CARD.write_text("".join(f"<!-- begin {b} -->\n<!-- end {b} -->\n" for b in blocks))
    return asked


def test_the_card_gets_a_block_of_the_demo_and_one_of_all_music(asked):
    assert table.main(["music"]) == 0
    assert [arguments[: arguments.index("--model")] for arguments in asked] == [
        ["music/demo"],
        ["music/demo", "music/train"],
    ]
    assert table.CARD.read_text().count("| ours | 0.50 |") == 2


def test_unheard_music_is_measured_with_the_weights_that_never_heard_it(asked):
    assert table.main(["music", "--honest", "out"]) == 0
    unheard = asked[2]
    assert unheard[unheard.index("--model") + 1] == "out"
    assert unheard[: len(table.UNHEARD)] == [f"music/demo/{name}" for name in table.UNHEARD]


def test_a_failed_evaluation_ends_it_with_its_status(asked, monkeypatch):
    monkeypatch.setattr(table.evaluate, "main", lambda arguments: 2)
    assert table.main(["music"]) == 2
