"""The results as files: each is read back by a reader of its own format."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from django.test import Client

from matcher.models import Match, State, Upload
from tests.matcher.conftest import Upper
from tracks.models import Track
from tracks.services import withdrawal

SITE = "http://testserver"
ENDINGS = ("m3u8", "xspf", "csv", "json")
HOSTILE = '=1+1\r\n#EXTINF:0,"</title><script>\x0b\u2028&amp; <ü> 夜'


def exported(client: Client, upload: Upload, ending: str) -> str:
    response = client.get(f"/uploads/{upload.pk}/export.{ending}")
    assert response.status_code == 200
    return response.content.decode()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def xspf_tracks(text: str) -> list[dict[str, str]]:
    """The text of each track's elements by their names in XSPF's namespace."""
    space = "{http://xspf.org/ns/0/}"
    playlist = ET.fromstring(text)
    assert (playlist.tag, playlist.get("version")) == (f"{space}playlist", "1")
    return [
        {child.tag.removeprefix(space): child.text or "" for child in track}
        for track in playlist.findall(f"{space}trackList/{space}track")
    ]


@pytest.fixture
def hostile(answered: Upload, tracks: list[Track]) -> Upload:
    """The closest track's texts come from somebody who means harm."""
    texts = dict.fromkeys(("title", "artist", "soundtrack", "licence"), HOSTILE)
    Track.objects.filter(pk=tracks[0].pk).update(**texts)
    return answered


def test_a_playlist_names_the_tracks_in_order_with_absolute_addresses(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    assert exported(owner_client, answered, "m3u8").splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:Sounds like song.mp3",
        "#EXTINF:10,An artist - Piece 0",
        f"{SITE}/catalogue/{tracks[0].pk}/audio/",
        "#EXTINF:11,An artist - Piece 1",
        f"{SITE}/catalogue/{tracks[1].pk}/audio/",
        "#EXTINF:12,An artist - Piece 2",
        f"{SITE}/catalogue/{tracks[2].pk}/audio/",
    ]


def test_what_a_playlist_names_can_be_heard(owner_client: Client, answered: Upload) -> None:
    address = exported(owner_client, answered, "m3u8").splitlines()[3]
    response = Client().get(address.removeprefix(SITE))
    response.close()
    assert response.status_code == 200
    assert response["Content-Type"] == "audio/wav"


def test_a_title_with_line_breaks_adds_no_line_to_a_playlist(
    owner_client: Client, hostile: Upload, tracks: list[Track]
) -> None:
    Upload.objects.update(original_name="a\nb.mp3")
    lines = exported(owner_client, hostile, "m3u8").splitlines()
    assert len(lines) == 2 + 2 * 3
    assert lines[1] == "#PLAYLIST:Sounds like a b.mp3"
    assert lines[2].startswith("#EXTINF:10,=1+1 #EXTINF:0,")
    assert lines[3] == f"{SITE}/catalogue/{tracks[0].pk}/audio/"


def test_a_track_of_unknown_length_lasts_minus_one_second(
    owner_client: Client, answered: Upload
) -> None:
    Track.objects.update(duration=None)
    assert "#EXTINF:-1,An artist - Piece 0" in exported(owner_client, answered, "m3u8")
    assert all("duration" not in t for t in xspf_tracks(exported(owner_client, answered, "xspf")))


def test_xspf_says_what_players_show(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    found = xspf_tracks(exported(owner_client, answered, "xspf"))
    assert [track["title"] for track in found] == ["Piece 0", "Piece 1", "Piece 2"]
    assert found[0] == {
        "location": f"{SITE}/catalogue/{tracks[0].pk}/audio/",
        "title": "Piece 0",
        "creator": "An artist",
        "annotation": "close, CC0-1.0",
        "info": f"{SITE}/catalogue/{tracks[0].pk}/",
        "album": "A game",
        "duration": "10000",
    }


def test_xspf_keeps_a_hostile_title_as_text(owner_client: Client, hostile: Upload) -> None:
    title = xspf_tracks(exported(owner_client, hostile, "xspf"))[0]["title"]
    # Readers turn a line break into one character; what XML cannot carry is left out.
    assert title.split() == HOSTILE.replace("\x0b", "").split()


def test_a_table_has_a_row_a_track(
    owner_client: Client, answered: Upload, tracks: list[Track]
) -> None:
    text = exported(owner_client, answered, "csv")
    assert text.startswith("\ufeffrank,title,")
    assert table(text)[0] == {
        "rank": "1",
        "title": "Piece 0",
        "artist": "An artist",
        "soundtrack": "A game",
        "genre": "",
        "year": "",
        "licence": "CC0-1.0",
        "source": "Debian package a-game-data",
        "seconds": "10.0",
        "score": "60.0",
        "in words": "close",
        "same recording": "no",
        "where": "0:12–0:18 of yours ~ 0:02–0:08 of theirs",
        "page": f"{SITE}/catalogue/{tracks[0].pk}/",
        "audio": f"{SITE}/catalogue/{tracks[0].pk}/audio/",
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\n@x"])
def test_no_cell_of_a_table_is_a_formula(owner_client: Client, answered: Upload, text: str) -> None:
    Track.objects.update(title=text, soundtrack=text)
    for row in table(exported(owner_client, answered, "csv")):
        assert row["title"] == row["soundtrack"] == f"'{text}"


def test_a_table_keeps_hostile_titles_in_their_cells(owner_client: Client, hostile: Upload) -> None:
    rows = table(exported(owner_client, hostile, "csv"))
    assert [len(row) for row in rows] == [15] * 3
    assert rows[0]["title"] == f"'{HOSTILE}"


def test_json_tells_the_question_and_every_match(
    owner_client: Client, hostile: Upload, tracks: list[Track]
) -> None:
    Match.objects.filter(rank=1).update(reasons=[{"code": "tempo", "yours": 90, "theirs": 91}])
    document = json.loads(exported(owner_client, hostile, "json"))
    assert document["query"] == {
        "name": "song.mp3",
        "sha256": hostile.sha256,
        "duration": 20.0,
        "page": f"{SITE}/uploads/{hostile.pk}/",
    }
    assert document["model_version"] == "first"
    assert [match["rank"] for match in document["matches"]] == [1, 2, 3]
    first = document["matches"][0]
    assert first["title"] == HOSTILE
    assert first["spans"] == [{"query": [12.0, 18.0], "match": [2.0, 8.0]}]
    assert first["reasons"] == [{"code": "tempo", "yours": 90, "theirs": 91}]
    assert first["audio"] == f"{SITE}/catalogue/{tracks[0].pk}/audio/"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_is_saved_under_the_name_of_the_upload(
    owner_client: Client, answered: Upload, ending: str
) -> None:
    response = owner_client.get(f"/uploads/{answered.pk}/export.{ending}")
    assert response["Content-Disposition"] == f'attachment; filename="song sounds like.{ending}"'


@pytest.mark.parametrize("ending", ENDINGS)
def test_withdrawn_tracks_are_not_taken_away(
    owner_client: Client, answered: Upload, tracks: list[Track], ending: str
) -> None:
    withdrawal.withdraw(tracks[0], "No rights")
    text = exported(owner_client, answered, ending)
    assert "Piece 0" not in text
    assert "Piece 1" in text


def test_the_page_links_every_file(owner_client: Client, answered: Upload) -> None:
    page = owner_client.get(f"/uploads/{answered.pk}/").content.decode()
    for ending in ENDINGS:
        assert f'href="/uploads/{answered.pk}/export.{ending}" download' in page


def test_there_is_no_file_of_an_unknown_kind_or_without_an_answer(
    owner_client: Client, answered: Upload, upload: Upper
) -> None:
    assert owner_client.get(f"/uploads/{answered.pk}/export.pls").status_code == 404
    for state in (State.QUEUED, State.FAILED):
        assert owner_client.get(f"/uploads/{upload(state).pk}/export.csv").status_code == 404


@pytest.mark.parametrize("person", ["stranger_client", "administrator_client"])
def test_nobody_else_takes_it_away(
    request: pytest.FixtureRequest, answered: Upload, person: str
) -> None:
    client: Any = request.getfixturevalue(person)
    assert client.get(f"/uploads/{answered.pk}/export.json").status_code == 404
    assert Client().get(f"/uploads/{answered.pk}/export.json").status_code == 302
