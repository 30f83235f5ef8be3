"""What people say of matches: kept once, taken back, looked at, exported, and when it goes."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client

from matcher import feedback, services
from matcher.models import Feedback, Match, State, Upload, Verdict
from tests.matcher.conftest import Upper
from tests.matcher.test_merging import merge
from tracks.models import ModelVersion, Track
from tracks.services import withdrawal

HTMX = {"HX-Request": "true"}
LIST = "/admin/matcher/feedback/"


def say(client: Client, upload: Upload, track: Track, word: str = "GOOD", **more: Any) -> Any:
    """What the page does when a button under a match is pressed."""
    return client.post(f"/uploads/{upload.pk}/feedback/", {word: track.pk}, **more)


def match(upload: Upload, rank: int) -> Match:
    return upload.matches.get(rank=rank)


# --- on the page ---------------------------------------------------------------------------


def test_a_verdict_is_kept_with_the_file_the_track_and_the_model_version(
    owner_client: Client, owner: Any, answered: Upload, tracks: list[Track], version: ModelVersion
) -> None:
    response = say(owner_client, answered, tracks[1])
    assert response["Location"] == f"/uploads/{answered.pk}/#feedback-2"
    kept = Feedback.objects.get()
    assert (kept.user, kept.upload, kept.track) == (owner, answered, tracks[1])
    assert (kept.model_version, kept.query_sha256) == (version, answered.sha256)
    assert kept.verdict == Verdict.GOOD


def test_a_verdict_on_a_match_that_is_shown_on_request_leads_back_to_it(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    answered.matches.filter(rank=2).update(rank=7)
    response = say(owner_client, answered, tracks[1])
    assert response["Location"] == f"/uploads/{answered.pk}/?all=1#feedback-7"


def test_the_page_shows_what_was_said_and_how_to_take_it_back(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    feedback.say(match(answered, 1), Verdict.NOT_SIMILAR)
    page = owner_client.get(f"/uploads/{answered.pk}/").content.decode()
    first, second = (track.pk for track in tracks[:2])
    assert f'id="not-similar-1" name="UNSAY" value="{first}" aria-pressed="true"' in page
    assert f'id="good-1" name="GOOD" value="{first}" aria-pressed="false"' in page
    assert f'id="not-similar-2" name="NOT_SIMILAR" value="{second}" aria-pressed="false"' in page


def test_a_second_verdict_takes_the_place_of_the_first_and_can_be_taken_back(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    for word in ("GOOD", "NOT_SIMILAR", "NOT_SIMILAR"):
        say(owner_client, answered, tracks[0], word)
    assert Feedback.objects.get().verdict == Verdict.NOT_SIMILAR
    say(owner_client, answered, tracks[0], "UNSAY")
    assert not Feedback.objects.exists()


def test_htmx_is_given_the_buttons_alone(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    response = say(owner_client, answered, tracks[1], headers=HTMX)
    text = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in text
    assert '<div class="feedback" id="feedback-2" hx-swap-oob="true"' in text
    assert f'id="good-2" name="UNSAY" value="{tracks[1].pk}" aria-pressed="true"' in text


def test_htmx_of_somebody_signed_out_is_sent_to_the_sign_in_and_back_to_the_page(
    answered: Upload, tracks: list[Track]
) -> None:
    response = say(Client(), answered, tracks[0], headers=HTMX)
    assert response["HX-Redirect"] == f"/accounts/login/?next=/uploads/{answered.pk}/"
    plain = say(Client(), answered, tracks[0])
    assert plain["Location"] == f"/accounts/login/?next=/uploads/{answered.pk}/"
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("person", ["stranger_client", "administrator_client"])
def test_nobody_else_judges_an_answer(
    request: pytest.FixtureRequest, answered: Upload, tracks: list[Track], person: str
) -> None:
    client: Client = request.getfixturevalue(person)
    assert say(client, answered, tracks[0]).status_code == 404
    assert not Feedback.objects.exists()


def test_only_matches_that_are_shown_can_be_judged(
    owner_client: Client, answered: Upload, upload: Upper, tracks: list[Track]
) -> None:
    withdrawal.withdraw(tracks[0], "No rights")
    for row, track in ((answered, tracks[0]), (upload(State.FINISHED), tracks[1])):
        assert say(owner_client, row, track).status_code == 404


@pytest.mark.parametrize("sent", [{}, {"GREAT": "1"}, {"GOOD": ""}, {"GOOD": "one"}, {"GOOD": "²"}])
def test_what_is_no_verdict_is_refused(
    owner_client: Client, answered: Upload, sent: dict[str, str]
) -> None:
    here = f"/uploads/{answered.pk}/feedback/"
    assert owner_client.post(here, sent).status_code == 400
    assert owner_client.get(here).status_code == 405


# --- how long it is kept -------------------------------------------------------------------


def test_another_model_version_is_judged_anew_and_the_old_word_is_kept(
    answered: Upload, second: ModelVersion
) -> None:
    feedback.say(match(answered, 1), Verdict.GOOD)
    Upload.objects.update(model_version=second)
    answered.refresh_from_db()
    assert feedback.verdicts_of(answered) == {}
    feedback.say(match(answered, 1), Verdict.NOT_SIMILAR)
    kept = Feedback.objects.order_by("pk").values_list("model_version__name", "verdict")
    assert list(kept) == [("first", "GOOD"), ("second", "NOT_SIMILAR")]


def test_it_outlives_the_upload_but_not_the_account(answered: Upload, owner: Any) -> None:
    feedback.say(match(answered, 1), Verdict.GOOD)
    digest = answered.sha256
    services.delete_upload(answered)
    kept = Feedback.objects.get()
    assert (kept.upload, kept.query_sha256) == (None, digest)
    owner.delete()
    assert not Feedback.objects.exists()


def test_words_on_a_merged_track_are_about_the_kept_one(
    answered: Upload, tracks: list[Track]
) -> None:
    feedback.say(match(answered, 1), Verdict.GOOD)
    feedback.say(match(answered, 2), Verdict.NOT_SIMILAR)
    merge(tracks[2], gone=tracks[0])
    assert dict(Feedback.objects.values_list("track", "verdict")) == {
        tracks[2].pk: "GOOD",
        tracks[1].pk: "NOT_SIMILAR",
    }


def test_of_two_words_on_merged_tracks_the_one_on_the_kept_track_stays(
    answered: Upload, tracks: list[Track]
) -> None:
    feedback.say(match(answered, 1), Verdict.GOOD)
    feedback.say(match(answered, 2), Verdict.NOT_SIMILAR)
    merge(tracks[1], gone=tracks[0])
    assert Feedback.objects.get().verdict == Verdict.NOT_SIMILAR


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ({}, True),
        ({"filters": {"genre": "Folk"}}, True),
        ({"span": [0.0, 9.0]}, False),
        ({"like": [1]}, False),
    ],
    ids=["all", "filtered", "span", "seeds"],
)
def test_a_question_about_an_upload_counts_for_its_file_only_where_it_is_about_all_of_it(
    answered: Upload, question: dict[str, Any], whole: bool
) -> None:
    asked = Upload.objects.create(
        owner=answered.owner,
        original_name="asked again",
        size=0,
        parent=answered,
        question=question,
        state=State.FINISHED,
        model_version=answered.model_version,
        duration=20.0,
        finished_at=answered.finished_at,
    )
    answered.matches.update(upload=asked)
    feedback.say(asked.matches.get(rank=1), Verdict.GOOD)
    assert Feedback.objects.get().query_sha256 == (answered.sha256 if whole else "")


# --- for administrators --------------------------------------------------------------------


@pytest.fixture
def judged(answered: Upload, upload: Upper, stranger: Any) -> Upload:
    """Two words of the owner, and one of a stranger on a part of a file."""
    feedback.say(match(answered, 1), Verdict.GOOD)
    feedback.say(match(answered, 2), Verdict.NOT_SIMILAR)
    foreign = upload(State.FINISHED, owner=stranger, content=b"other")
    Match.objects.create(
        upload=foreign, rank=1, track=match(answered, 3).track, score=1, distance=1
    )
    feedback.say(match(foreign, 1), Verdict.GOOD)
    Feedback.objects.filter(user=stranger).update(query_sha256="")
    return answered


def test_administrators_look_at_it_with_filters_and_change_nothing(
    administrator_client: Client, judged: Upload
) -> None:
    page = administrator_client.get(f"{LIST}?verdict__exact=NOT_SIMILAR").content.decode()
    assert "Piece 1" in page
    assert "Piece 0" not in page
    assert "Piece 2" in administrator_client.get(f"{LIST}?q=stefan").content.decode()
    row = Feedback.objects.first()
    assert row is not None
    assert 'name="verdict"' not in (
        administrator_client.get(f"{LIST}{row.pk}/change/").content.decode()
    )


def test_it_is_exported_as_a_table_by_whoever_may_look(
    administrator_client: Client, judged: Upload
) -> None:
    fields = {"format": "0", "resource": "", "export_items": []}
    response = administrator_client.post(f"{LIST}export/?verdict__exact=GOOD", fields)
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert response["Content-Type"].startswith("text/csv")
    assert [row["track"] for row in rows] == ["Piece 2", "Piece 0"]
    assert rows[1]["query_sha256"] == judged.sha256
    assert rows[1]["track_sha256"] == hashlib.sha256(b"0").hexdigest()
    assert (rows[1]["verdict"], rows[1]["model_version"]) == ("GOOD", "first")


def test_a_track_called_like_a_formula_is_exported_as_text(
    administrator_client: Client, judged: Upload, tracks: list[Track]
) -> None:
    Track.objects.update(title="@SUM(A1)")
    fields = {"format": "0", "resource": "", "export_items": []}
    exported = administrator_client.post(f"{LIST}export/", fields).content.decode()
    titles = {row["track"] for row in csv.DictReader(io.StringIO(exported))}
    assert titles == {"'@SUM(A1)"}


def test_staff_without_the_right_to_look_can_neither_look_nor_export(
    stranger_client: Client, stranger: Any, judged: Upload
) -> None:
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="view_upload"))
    for path in (LIST, f"{LIST}export/"):
        assert stranger_client.get(path).status_code == 403


def test_the_command_writes_what_the_evaluation_reads(judged: Upload, tmp_path: Path) -> None:
    path, output = tmp_path / "feedback.csv", io.StringIO()
    call_command("export_feedback", str(path), stdout=output)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2)]
    assert rows == [
        ["query_sha256", "track_sha256", "verdict"],
        [judged.sha256, digests[0], "good"],
        [judged.sha256, digests[1], "not_similar"],
    ]
    assert "2 verdicts" in output.getvalue()


@pytest.mark.django_db
def test_a_file_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_feedback", str(tmp_path / "nowhere" / "feedback.csv"))
