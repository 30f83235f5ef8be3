"""What people said, on tracks that are points on a line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ml import evaluate
from ml.evaluation import feedback, report
from ml.evaluation.catalogue import Track
from ml.evaluation.feedback import Verdict, agreement, pairs, read_verdicts
from ml.evaluation.report import Report, Row

HEADER = "query_sha256,track_sha256,verdict\n"
POINTS = np.array([0.0, 1.0, 2.0, 5.0, 5.0])
TRACKS = [
    Track(Path(f"{name}.ogg"), f"music/{name}.ogg", soundtrack, name)
    for name, soundtrack in zip("abcde", "xxyyy", strict=True)
]
SOUNDTRACKS = np.array([track.soundtrack for track in TRACKS])
DISTANCES = np.abs(np.subtract.outer(POINTS, POINTS))


def said(text: str) -> list[Verdict]:
    """`ab+ ac-`: b is a good match for a, c is not similar to it."""
    return [Verdict(one[0], one[1], one[2] == "+") for one in text.split()]


def value(text: str) -> float:
    found = agreement(pairs(said(text), TRACKS), DISTANCES, SOUNDTRACKS, seed=0)
    return found.figures["agreement"].value


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("ab+ ac-", 1.0),
        ("ac+ ab-", 0.0),
        ("ad+ ae-", 0.5),
        ("ab+ ad+ ac-", 0.5),
        ("ab+ ac- cd+ cb-", 0.5),
        ("ab+ ab-", 0.5),
    ],
    ids=["nearer", "farther", "tie", "one of two", "two queries", "contradiction"],
)
def test_agreement_is_the_share_of_pairs_in_which_the_good_match_is_nearer(text, share):
    assert value(text) == share


def test_only_verdicts_of_one_query_are_paired():
    found = pairs(said("ab+ ca- ac- ce+"), TRACKS)
    assert found.queries.tolist() == [0, 2]
    assert found.good.tolist() == [1, 4]
    assert found.other.tolist() == [2, 0]


def test_files_that_are_not_here_and_a_file_as_its_own_match_are_left_out():
    found = pairs(said("ab+ az- zb+ za- aa-"), TRACKS)
    assert len(found.queries) == 0
    assert found.verdicts == 5


def test_everybodys_word_counts():
    assert value("ab+ ab+ ac+ ac-") == pytest.approx((1 + 1 + 0.5) / 3)


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "feedback.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_table_of_the_site_is_read(table):
    path = table(HEADER + "a,b,good\na,c,not_similar\n")
    assert read_verdicts(path) == said("ab+ ac-")


def test_further_columns_and_a_byte_order_mark_do_no_harm(table):
    path = table("\ufeffsaid_at,verdict,track_sha256,query_sha256\nnow,good,b,a\n")
    assert read_verdicts(path) == said("ab+")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("query_sha256,verdict\n", "has no column track_sha256"),
        ("", "has no column query_sha256, track_sha256, verdict"),
        (HEADER + "a,b,good\na,c,great\n", "line 3: 'great' is neither good nor not_similar"),
    ],
    ids=["column", "empty", "verdict"],
)
def test_a_table_of_another_kind_is_refused_before_anything_is_heard(
    table, text, complaint, capsys
):
    with pytest.raises(SystemExit) as refusal:
        evaluate.main(["nowhere", "--baselines", "--feedback", str(table(text))])
    assert refusal.value.code == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_a_table_that_is_not_there_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        evaluate.main(["nowhere", "--baselines", "--feedback", str(tmp_path / "none.csv")])
    assert "No such file" in capsys.readouterr().err


def reported(text):
    """A report of two systems, the second of which answers the wrong way round."""
    found = pairs(said(text), TRACKS)
    written = Report({"seed": 0}, TRACKS, {}, under_test="line", feedback=found)
    for name, sign in (("line", 1), ("backwards", -1)):
        judged = agreement(found, sign * DISTANCES, SOUNDTRACKS, seed=0)
        written.rows[name] = Row(feedback=judged)
    return written


def shown(written):
    page = io.StringIO()
    report.show(written, Console(file=page, width=160), seed=0)
    return " ".join(page.getvalue().split())


def test_the_report_has_a_row_a_system_and_the_paired_difference():
    written = reported("ab+ ac- cb+ cd-")
    assert "4. feedback: 2 pairs, 2 queries, 4 verdicts" in shown(written)
    document = json.loads(report.as_json(written, 0))
    assert document["feedback"] == {"verdicts": 4, "pairs": 2, "queries": 2}
    assert document["systems"]["line"]["feedback"]["agreement"]["value"] == 1.0
    assert document["systems"]["backwards"]["feedback"]["agreement"]["value"] == 0.0
    assert document["differences"]["backwards"]["feedback agreement"]["value"] == 1.0


def test_verdicts_without_a_pair_are_said_and_give_no_figure():
    written = reported("ab+ zz-")
    assert "feedback: 0 pairs" in shown(written)
    document = json.loads(report.as_json(written, 0))
    assert document["systems"]["line"]["feedback"]["agreement"]["value"] is None
    assert "feedback agreement" not in document["differences"]["backwards"]


def test_the_table_is_what_the_sites_command_writes():
    assert feedback.COLUMNS == ("query_sha256", "track_sha256", "verdict")
    assert set(feedback.GOOD) == {"good", "not_similar"}
