"""Tables of tracks: a dry run first, then all rows or none; and the catalogue as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tablib
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.tracks.conftest import song
from tracks.models import ModelVersion, Track
from tracks.services import catalogue

pytestmark = pytest.mark.django_db
IMPORT, CONFIRM = "/admin/tracks/track/import/", "/admin/tracks/track/process_import/"
EXPORT = "/admin/tracks/track/export/"


@pytest.fixture
def incoming() -> None:
    """Two songs and some words in the media store."""
    for seed in range(2):
        default_storage.save(f"incoming/{seed}_of_two.flac", ContentFile(song(seed)))
    default_storage.save("incoming/words.ogg", ContentFile(b"Dear diary. " * 100))
    default_storage.save("incoming/empty.ogg", ContentFile(b""))


def table(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def dry_run(client: Client, content: bytes, kind: int = 0) -> Any:
    name = ("rows.csv", "rows.xlsx")[kind]
    file = SimpleUploadedFile(name, content)
    return client.post(IMPORT, {"import_file": file, "format": str(kind), "resource": ""})


def confirm(client: Client, answer: Any) -> Any:
    return client.post(CONFIRM, answer.context["confirm_form"].initial)


def audio_files(media: Path) -> int:
    return sum(path.is_file() for path in (media / "tracks").rglob("*"))


FULL = {
    "audio": "incoming/0_of_two.flac",
    "title": "Dawn",
    "artist": "Ann",
    "soundtrack": "Kit",
    "genre": "Ambient",
    "year": "1999",
    "licence": "CC0-1.0",
    "source": "Ann's site",
    "source_url": "https://example.org/dawn",
    "subset": "training",
}


@pytest.mark.usefixtures("incoming")
def test_a_dry_run_shows_what_would_be_created_and_writes_nothing(
    administrator_client: Client, media: Path
) -> None:
    answer = dry_run(administrator_client, table(FULL, {"audio": "incoming/1_of_two.flac"}))
    page = answer.content.decode()
    assert [row.import_type for row in answer.context["result"].rows] == ["new", "new"]
    assert "Dawn" in page
    assert "1 of two" in page, "without a title the file's name is it"
    assert Track.objects.count() == 0
    assert audio_files(media) == 0


@pytest.mark.usefixtures("incoming")
def test_confirmed_rows_are_in_the_catalogue_with_all_their_texts_and_wait_for_the_index(
    administrator_client: Client, version: ModelVersion, media: Path
) -> None:
    confirm(administrator_client, dry_run(administrator_client, table(FULL)))
    track = Track.objects.get()
    found = {name: str(getattr(track, name)) for name in FULL if name != "audio"}
    assert found == {name: text for name, text in FULL.items() if name != "audio"}
    assert track.audio.name.startswith("tracks/")
    assert track.entries.get().state == "PENDING"
    assert (media / "incoming" / "0_of_two.flac").exists()
    assert LogEntry.objects.get().object_id == str(track.pk)


@pytest.mark.usefixtures("incoming")
def test_a_row_with_known_bytes_changes_that_track_and_one_that_changes_nothing_is_skipped(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    one, other = add(0, title="Old", artist="Kept"), add(1, title="Same")
    content = table(
        {"audio": "incoming/0_of_two.flac", "title": "New"},
        {"audio": "incoming/1_of_two.flac", "title": "Same"},
    )
    answer = dry_run(administrator_client, content)
    assert [row.import_type for row in answer.context["result"].rows] == ["update", "skip"]
    confirm(administrator_client, answer)
    one.refresh_from_db()
    assert (one.title, one.artist) == ("New", "Kept")
    assert Track.objects.count() == 2
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(one.pk)]
    assert other.title == "Same"


@pytest.mark.usefixtures("incoming")
@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"audio": "incoming/gone.ogg"}, "incoming/gone.ogg is no file of the store"),
        ({"audio": "../../etc/passwd"}, "../../etc/passwd is no file of the store"),
        ({"audio": "/etc/passwd"}, "/etc/passwd is no file of the store"),
        ({"audio": "incoming"}, "incoming is no file of the store"),
        ({"audio": ""}, "no name is no file of the store"),
        ({"audio": "incoming/words.ogg"}, "of no audio format that is read here"),
        ({"audio": "incoming/empty.ogg"}, "The file is empty."),
        ({"audio": "incoming/0_of_two.flac", "year": "long ago"}, "long ago is no year"),
        ({"audio": "incoming/0_of_two.flac", "source_url": "javascript:1"}, "valid URL"),
        ({"audio": "incoming/0_of_two.flac", "title": "x" * 301}, "at most 300 characters"),
    ],
)
def test_a_refused_row_has_its_sentence_and_nothing_can_be_confirmed(
    administrator_client: Client, row: dict[str, str], sentence: str
) -> None:
    answer = dry_run(administrator_client, table({"audio": "incoming/1_of_two.flac"}, row))
    page = answer.content.decode()
    assert sentence in page
    assert "The other rows, which would be taken" in page
    assert "confirm_form" not in answer.context


@pytest.mark.usefixtures("incoming")
def test_two_rows_of_the_same_bytes_are_refused(administrator_client: Client) -> None:
    answer = dry_run(administrator_client, table(FULL, {**FULL, "title": "Dusk"}))
    assert "row 1 names the same bytes" in answer.content.decode()


@pytest.mark.usefixtures("incoming")
def test_when_a_row_fails_after_all_none_is_written_and_no_file_is_left(
    administrator_client: Client, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    answer = dry_run(administrator_client, table(FULL, {"audio": "incoming/1_of_two.flac"}))
    real = catalogue.index.queue_track

    def failing(track: Track) -> None:
        if track.title != "Dawn":
            raise RuntimeError("the disk is gone")
        real(track)

    monkeypatch.setattr(catalogue.index, "queue_track", failing)
    confirm(administrator_client, answer)
    assert Track.objects.count() == 0
    assert audio_files(media) == 0


@pytest.mark.usefixtures("incoming")
def test_a_spreadsheet_is_taken_as_well(administrator_client: Client) -> None:
    sheet = tablib.Dataset(["incoming/0_of_two.flac", "Dawn", 1999])
    sheet.headers = ["audio", "title", "year"]
    confirm(administrator_client, dry_run(administrator_client, sheet.export("xlsx"), 1))
    track = Track.objects.get()
    assert (track.title, track.year) == ("Dawn", 1999)


def test_the_catalogue_comes_out_in_the_same_columns_and_goes_in_again(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    track = add(0, title="Dawn", genre="Ambient")
    fields = {"format": "0", "resource": "", "export_items": []}
    exported = administrator_client.post(EXPORT, fields).content
    (row,) = csv.DictReader(io.StringIO(exported.decode()))
    assert list(row) == [*FULL, "sha256", "duration"]
    assert (row["title"], row["genre"], row["sha256"]) == ("Dawn", "Ambient", track.sha256)
    answer = dry_run(administrator_client, exported)
    assert [found.import_type for found in answer.context["result"].rows] == ["skip"]


@pytest.mark.usefixtures("incoming")
def test_rows_need_the_permissions_of_what_they_do(add: Callable[..., Track]) -> None:
    add(0)
    person = get_user_model().objects.create_user("sam", is_staff=True)
    client = Client()
    client.force_login(person)
    person.user_permissions.set(Permission.objects.filter(codename="change_track"))
    assert client.get(IMPORT).status_code == 403
    person.user_permissions.set(Permission.objects.filter(codename__in=["add_track"]))
    page = dry_run(client, table(FULL)).content.decode()
    assert "You may not change" in page
    person.user_permissions.clear()
    assert client.get(EXPORT).status_code == 403
