"""The model card's figures come from the reports, and only those."""

from __future__ import annotations

import json

from benchmarks import card

REPORT = {
    "systems": {
        "ours": {
            "proxy 1": {"P@1": {"value": 0.5, "low": 0.4, "high": 0.6}, "orphans": 0.02},
            "proxy 2": {"none": {"top-1": {"value": 1.0}, "span": {"value": 0.9}}},
        },
        "other": {"proxy 1": {"P@1": {"value": 0.25, "low": 0.2, "high": 0.3}}},
    },
    "differences": {"other": {"P@1": {"value": 0.25, "low": -0.1, "high": 0.5}}},
    "codebooks": [{"usage": 0.975, "perplexity": 170.2, "size": 256, "effective_rank": 20.04}],
    "reconstruction_error": 0.3,
}
WORDS = "Words.\n<!-- begin demo -->\nold\n<!-- end demo -->\nMore words.\n"


def test_a_block_is_replaced_and_the_words_around_it_stay(tmp_path):
    (tmp_path / "card.md").write_text(WORDS)
    (tmp_path / "demo.json").write_text(json.dumps(REPORT))
    given = [str(tmp_path / "card.md"), f"demo={tmp_path / 'demo.json'}"]
    assert card.main(given) == 0
    found = (tmp_path / "card.md").read_text()
    assert found.startswith("Words.\n<!-- begin demo -->\n| system |")
    assert found.endswith("<!-- end demo -->\nMore words.\n")
    assert "old" not in found
    assert "| ours | 0.50 |" in found
    assert "(+0.25, -0.10 to +0.50)" in found  # the interval contains 0
    assert "| none | 1.00 | 0.90 |  |" in found
    assert "| 1 | 97.5% | 170 of 256 | 20.0 |" in found
    assert card.main(given) == 0
    assert (tmp_path / "card.md").read_text() == found


def test_a_report_without_a_block_is_an_error(tmp_path, capsys):
    (tmp_path / "card.md").write_text(WORDS)
    (tmp_path / "all.json").write_text(json.dumps(REPORT))
    assert card.main([str(tmp_path / "card.md"), f"all={tmp_path / 'all.json'}"]) == 1
    assert "no block all" in capsys.readouterr().err
