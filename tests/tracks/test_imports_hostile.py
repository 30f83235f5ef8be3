"""Zips that climb, swell, lie or hold no music."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.tracks.conftest import song
from tests.tracks.import_steps import (
    Item,
    State,
    audio_files,
    done,
    send,
    states,
    stored,
    work,
    zipped,
)
from tracks import importing
from tracks.models import Job, Track
from tracks.services import imports, jobs

pytestmark = pytest.mark.django_db


def test_names_that_climb_are_only_labels(
    administrator_client: Client, tmp_path: Path, media: Path
) -> None:
    names = ("../../climbed.flac", "/etc/rooted.flac", "C:\\Kit\\drive.flac")
    content = zipped({name: song(seed) for seed, name in enumerate(names)})
    job = done(send(administrator_client, content))
    assert set(states(job)) == {"climbed.flac", "etc/rooted.flac", "Kit/drive.flac"}
    assert set(Track.objects.values_list("title", "soundtrack")) == {
        ("climbed", ""),
        ("rooted", "etc"),
        ("drive", "Kit"),
    }
    assert not list(tmp_path.rglob("climbed*"))
    assert audio_files(media) == 3


def test_what_lies_beside_music_is_passed_over_and_a_zip_in_the_zip_is_no_audio(
    administrator_client: Client, three: bytes
) -> None:
    files = {
        "__MACOSX/._a.flac": b"resource",
        ".hidden.flac": song(1),
        "Kit/cover.jpg": b"\xff\xd8",
        "Kit/inner.zip": three,
        "Kit/empty/": b"",
        "Kit/a.flac": song(2),
    }
    job = done(send(administrator_client, zipped(files)))
    assert states(job) == {
        "Kit/inner.zip": (Item.REFUSED, "not-audio"),
        "Kit/a.flac": (Item.CREATED, ""),
    }


def test_a_member_that_swells_beyond_the_limit_is_refused_whatever_its_header_says(
    administrator_client: Client, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 300_000
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.wav", b"\0" * 5_000_000)
        archive.writestr("lies.wav", b"\0" * 4_000_000)
        archive.writestr("fine.flac", song(1))
    content = stream.getvalue()
    lying = content.replace((4_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    job = done(send(administrator_client, lying))
    assert states(job)["bomb.wav"] == (Item.REFUSED, "too-large")
    assert states(job)["lies.wav"][0] == Item.REFUSED
    assert states(job)["fine.flac"] == (Item.CREATED, "")


def test_an_encrypted_member_and_a_damaged_one_have_their_codes(
    administrator_client: Client,
) -> None:
    content = bytearray(zipped({"locked.flac": song(0), "torn.flac": song(1), "a.flac": song(2)}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1  # the flag of the first member in the directory
    content[content.index(song(1)) + 500] ^= 0xFF
    job = done(send(administrator_client, bytes(content)))
    assert states(job) == {
        "locked.flac": (Item.REFUSED, "zip-encrypted"),
        "torn.flac": (Item.REFUSED, "zip-damaged"),
        "a.flac": (Item.CREATED, ""),
    }


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no zip at all", "zip-damaged"),
        (zipped({"a.flac": b"x" * 5000})[:3000], "zip-damaged"),
        (zipped({"notes.txt": b"x"}), "nothing-to-import"),
    ],
)
def test_a_zip_that_is_none_or_holds_no_music_fails_with_its_reason(
    administrator_client: Client, media: Path, content: bytes, code: str
) -> None:
    job = work(send(administrator_client, content))
    assert (job.state, job.error_code) == (State.FAILED, code)
    assert stored(media) == []


def test_thousands_of_members_are_listed_in_batches(
    administrator_client: Client, django_assert_max_num_queries: Any
) -> None:
    job = send(administrator_client, zipped({f"{number}.ogg": b"x" for number in range(2000)}))
    mine = jobs.claim(Job.Kind.IMPORT)
    assert mine is not None
    with django_assert_max_num_queries(40), importing.packed.opened(job.options["zip"]) as archive:
        imports.list_members(mine, importing.packed.members(archive))
    assert job.items.count() == 2000
