"""Taking everything away: what is in the zip, under which names, and how it is made."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import CASCADE, Model
from django.test import Client

from matcher import takeout
from matcher.belongings import LEFT_OUT, SECTIONS
from matcher.models import State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.test_mine import question


def taken(client: Client) -> zipfile.ZipFile:
    """The zip that this person downloads; it is whole."""
    response = client.get("/account/download/")
    assert response["Content-Type"] == "application/zip"
    packed = zipfile.ZipFile(io.BytesIO(b"".join(response)))
    assert packed.testzip() is None
    return packed


def account_in(packed: zipfile.ZipFile) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(packed.read("account.json"))
    return data


def test_the_download_holds_the_files_and_all_that_is_known(
    owner_client: Client, owner: User, answered: Upload, upload: Upper
) -> None:
    EmailAddress.objects.create(user=owner, email="o@example.org", primary=True)
    upload(State.FAILED, error_code="damaged", original_name="broken.mp3", content=b"other")
    asked = question(answered)
    packed = taken(owner_client)
    data = account_in(packed)
    assert data["profile"][0]["username"] == "olivia"
    assert [one["email"] for one in data["email_addresses"]] == ["o@example.org"]
    first, failed, last = data["uploads"]
    assert packed.read(first["file"]) == b"sound"
    assert packed.read(failed["file"]) == b"other"
    assert (first["file"], first["state"], first["seconds"]) == ("audio/song.mp3", "FINISHED", 20)
    assert first["ended"]
    assert [match["track"]["title"] for match in first["matches"]] == [
        *("Piece 0", "Piece 1", "Piece 2")
    ]
    assert first["matches"][0]["spans"] == [{"query": [12.0, 18.0], "match": [2.0, 8.0]}]
    assert "no sound could be read" in failed["error_sentence"]
    assert (last["id"], last["asked_about"]) == (str(asked.pk), str(answered.pk))
    assert last["file"] is None


def test_the_download_has_nothing_of_anybody_else(
    owner_client: Client, upload: Upper, stranger: Any
) -> None:
    upload(owner=stranger, original_name="secret.mp3", content=b"not yours")
    packed = taken(owner_client)
    assert packed.namelist() == ["account.json"]
    assert b"secret" not in packed.read("account.json")
    assert account_in(packed)["uploads"] == []


def test_no_secret_is_handed_out(owner_client: Client, owner: User) -> None:
    text = taken(owner_client).read("account.json").decode()
    assert owner.password not in text
    assert "password" not in text


def test_files_of_one_name_are_told_apart_even_where_case_does_not_count(
    owner_client: Client, upload: Upper
) -> None:
    for name in ("a.mp3", "A.mp3", "a.mp3", "a (2).mp3"):
        upload(original_name=name)
    names = [name for name in taken(owner_client).namelist() if name != "account.json"]
    assert len({name.casefold() for name in names}) == 4
    assert "audio/a.mp3" in names


@pytest.mark.parametrize(
    ("shown", "packed"),
    [
        ("夜曲.ogg", "audio/夜曲.ogg"),
        ("what?: a <song>.mp3", "audio/what__ a _song_.mp3"),
        ("../up.mp3", "audio/_up.mp3"),
        (".hidden", "audio/hidden"),
        ("no ending", "audio/no ending"),
        ("...", "audio/untitled"),
        ("song.notreallyanending", "audio/song.notreallyanending"),
    ],
)
def test_names_fit_any_file_system(shown: str, packed: str) -> None:
    assert takeout.Names().give(Upload(original_name=shown)) == packed


def test_a_very_long_name_is_cut_between_characters_and_keeps_its_ending() -> None:
    name = takeout.Names().give(Upload(original_name="夜" * 250 + ".flac"))
    assert name.endswith("夜.flac")
    assert len(name.encode()) < 200


def test_a_file_that_the_store_has_lost_is_left_out(owner_client: Client, upload: Upper) -> None:
    row, kept = upload(original_name="lost.mp3"), upload(original_name="kept.mp3")
    row.audio.storage.delete(str(row.audio))
    packed = taken(owner_client)
    assert sorted(packed.namelist()) == ["account.json", "audio/kept.mp3"]
    files = {one["id"]: one["file"] for one in account_in(packed)["uploads"]}
    assert files == {str(row.pk): None, str(kept.pk): "audio/kept.mp3"}


def test_the_zip_is_made_in_small_blocks(owner: User, upload: Upper) -> None:
    upload(content=b"x" * 3_000_000)
    blocks = list(takeout.archive(owner))
    assert len(blocks) > 20
    assert max(map(len, blocks)) < 200_000
    assert all(blocks)


def test_a_download_that_is_broken_off_closes_its_file(owner: User, upload: Upper) -> None:
    upload(content=b"x" * 3_000_000)
    blocks = takeout.archive(owner)
    next(blocks)
    assert len(open_uploads()) == 1
    blocks.close()  # type: ignore[attr-defined]
    assert open_uploads() == []


def open_uploads() -> list[str]:
    """Stored files that this process holds open."""
    links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return [str(path) for link in links if "uploads" in (path := link.readlink()).parts]


def test_taking_away_needs_a_sign_in(client: Client, db: None) -> None:
    assert client.get("/account/download/")["Location"].startswith("/accounts/login/")


def test_every_model_that_belongs_to_a_user_is_in_the_download_or_left_out_by_name() -> None:
    """A new one needs a section in `matcher.belongings`, or its name in `LEFT_OUT`."""
    there = {label for section in SECTIONS for label in section.models} | LEFT_OUT.keys()
    assert belonging() - there == set()
    assert there - belonging() == {"auth.User"}


def belonging() -> set[str]:
    """Labels of the models that point at a user, or at something that goes with one."""
    models = set(apps.get_models(include_auto_created=True))
    going: set[type[Model]] = {User}
    while more := {model for model in models - going if _goes_with(model, going)}:
        going |= more
    named = {model for model in models if _points_at(model, {User})}
    return {model._meta.label for model in (going | named) - {User}}


def _points_at(model: type[Model], others: set[type[Model]]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.related_model in others]


def _goes_with(model: type[Model], others: set[type[Model]]) -> bool:
    return any(field.remote_field.on_delete is CASCADE for field in _points_at(model, others))
