"""An import is planned and done on its owner's word."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from tests.tracks.conftest import song
from tests.tracks.import_steps import (
    PAGE,
    Item,
    State,
    audio_files,
    done,
    send,
    states,
    stored,
    tagged,
    work,
    zipped,
)
from tracks import importing
from tracks.models import ModelVersion, Track
from tracks.services import catalogue, imports, jobs
from tracks.tasks import import_step, sweep_index

pytestmark = pytest.mark.django_db
TWELVE = {f"Kit/Part {seed}.flac": seed for seed in range(12)}


@pytest.fixture
def twelve() -> bytes:
    return zipped({name: song(seed) for name, seed in TWELVE.items()})


def test_a_zip_and_a_folder_of_the_same_twelve_files_make_the_same_catalogue(
    administrator_client: Client, twelve: bytes, tmp_path: Path, version: ModelVersion
) -> None:
    job = done(send(administrator_client, twelve))
    assert job.state == State.FINISHED
    by_zip = set(Track.objects.values_list("sha256", "title", "soundtrack"))
    assert len(by_zip) == 12
    assert all(track.entries.count() == 1 for track in Track.objects.all())
    Track.objects.all().delete()
    for name, seed in TWELVE.items():
        (tmp_path / "music" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "music" / name).write_bytes(song(seed))
    call_command("import_tracks", tmp_path / "music", stdout=io.StringIO())
    assert set(Track.objects.values_list("sha256", "title", "soundtrack")) == by_zip


def test_the_plan_is_shown_row_by_row_and_writes_nothing_to_the_catalogue(
    administrator_client: Client, add: Callable[..., Track]
) -> None:
    add(1)
    files = {
        "new.flac": song(0),
        "known.flac": song(1),
        "renewed.flac": (renewed := tagged(song(2), title="Better")),
        "again.flac": song(0),
        "words.ogg": b"Only words. " * 100,
        "cover.png": b"\x89PNG",
        "empty.mp3": b"",
    }
    track, _ = catalogue.add_track(
        SimpleUploadedFile("x", renewed), catalogue.Texts(title="Worse", artist="Ann")
    )
    job = work(send(administrator_client, files=files))
    assert job.state == State.PLANNED
    assert states(job) == {
        "new.flac": (Item.CREATE, ""),
        "known.flac": (Item.SKIPPED, "duplicate"),
        "renewed.flac": (Item.UPDATE, ""),
        "again.flac": (Item.SKIPPED, "duplicate"),
        "words.ogg": (Item.REFUSED, "not-audio"),
        "empty.mp3": (Item.REFUSED, "empty-file"),
    }
    assert Track.objects.count() == 2
    page = administrator_client.get(job.get_absolute_url()).content.decode()
    assert "title: Worse → Better" in page
    assert "Do it" in page
    only = administrator_client.get(f"{job.get_absolute_url()}?state=REFUSED").content.decode()
    assert "words.ogg" in only
    assert "renewed.flac" not in only
    administrator_client.post(f"/admin/tracks/job/{job.pk}/go/order/")
    assert work(job).state == State.FINISHED
    track.refresh_from_db()
    assert (track.title, track.artist) == ("Better", "Ann")
    assert Track.objects.count() == 3
    of_tracks = LogEntry.objects.filter(content_type__model="track")
    messages = set(of_tracks.values_list("change_message", flat=True))
    assert messages == {"Added by Import of 6 files.", "Changed by Import of 6 files."}


def test_known_tracks_keep_their_texts_when_the_form_says_so(
    administrator_client: Client,
) -> None:
    content = tagged(song(2), title="Better")
    catalogue.add_track(SimpleUploadedFile("x", content), catalogue.Texts(title="Mine"))
    job = work(send(administrator_client, files={"a.flac": content}, renew=""))
    assert states(job) == {"a.flac": (Item.SKIPPED, "duplicate")}


def test_an_import_of_nothing_new_ends_without_asking(
    administrator_client: Client, add: Callable[..., Track], media: Path
) -> None:
    add(1)
    job = work(send(administrator_client, files={"a.flac": song(1)}))
    assert job.state == State.FINISHED
    assert stored(media) == []


def test_a_file_that_does_not_decode_is_refused_when_it_is_its_turn(
    administrator_client: Client,
) -> None:
    files = {"broken.flac": song(1)[:200], "fine.flac": song(2)}
    job = done(send(administrator_client, files=files))
    assert states(job) == {
        "broken.flac": (Item.REFUSED, "damaged"),
        "fine.flac": (Item.CREATED, ""),
    }
    page = administrator_client.get(job.get_absolute_url()).content.decode()
    assert "no sound could be read from it" in page


def test_the_uploaded_bytes_go_when_the_job_ends(
    administrator_client: Client, three: bytes, media: Path
) -> None:
    job = send(administrator_client, three, {"one.flac": song(9)})
    assert len(stored(media)) == 2
    assert done(job).state == State.FINISHED
    assert stored(media) == []
    assert audio_files(media) == 4


def test_cancelling_keeps_what_was_done_and_removes_the_uploaded_bytes(
    administrator_client: Client, three: bytes, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "STEP_SECONDS", 0.001)
    job = send(administrator_client, three)
    work(job)
    jobs.go(job)
    import_step(job.pk)
    administrator_client.post(f"/admin/tracks/job/{job.pk}/cancel/order/")
    assert work(job).state == State.CANCELLED
    assert Track.objects.count() == 1
    assert stored(media) == []


def test_a_cancelled_job_that_nobody_cleaned_is_cleaned_by_the_sweep(
    administrator_client: Client, three: bytes, media: Path
) -> None:
    jobs.cancel(send(administrator_client, three))
    assert stored(media)
    sweep_index()
    assert stored(media) == []


def staff(*permissions: str) -> Client:
    person = get_user_model().objects.create_user("sam", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


def test_who_may_not_add_tracks_can_neither_import_nor_give_the_word(
    administrator_client: Client, three: bytes
) -> None:
    job = work(send(administrator_client, three))
    client = staff("view_track", "change_track", "view_job", "change_job")
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {}).status_code == 403
    assert client.post(f"/admin/tracks/job/{job.pk}/go/order/").status_code == 403
    assert "Import music" not in client.get("/admin/tracks/track/").content.decode()


def test_who_may_add_tracks_but_not_see_jobs_is_told_that_it_has_begun(three: bytes) -> None:
    client = staff("view_track", "add_track")
    fields = {"archive": SimpleUploadedFile("music.zip", three)}
    page = client.post(PAGE, fields, follow=True).content.decode()
    assert "Import of music.zip has begun." in page


@pytest.mark.parametrize("address", ["/admin/tracks/track/", "/admin/tracks/job/"])
def test_the_lists_of_tracks_and_jobs_lead_to_the_import(
    administrator_client: Client, address: str
) -> None:
    page = administrator_client.get(address).content.decode()
    (link,) = {part.split('"')[0] for part in page.split('href="') if "import-music" in part[:60]}
    assert administrator_client.get(link, follow=True).redirect_chain[-1][0] == PAGE


def test_a_form_without_any_file_is_answered_by_a_sentence(administrator_client: Client) -> None:
    answer = administrator_client.post(PAGE, {})
    assert answer.status_code == 200
    assert "Choose files or a zip." in answer.content.decode()


def test_more_than_a_thousand_files_at_once_are_taken(administrator_client: Client) -> None:
    job = send(administrator_client, files={f"{number}.ogg": b"x" for number in range(1100)})
    assert job.items.count() == 1100


def test_a_long_plan_has_pages(administrator_client: Client) -> None:
    job = send(administrator_client, files={f"{number:03}.ogg": b"x" for number in range(60)})
    first = administrator_client.get(job.get_absolute_url()).content.decode()
    second = administrator_client.get(f"{job.get_absolute_url()}?page=2").content.decode()
    assert "010.ogg" in first
    assert "055.ogg" not in first
    assert "055.ogg" in second


def test_forgotten_uploads_of_dead_requests_are_swept_after_a_day(
    media: Path, administrator_client: Client, three: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(administrator_client, three)
    (media / "imports" / "orphan").write_bytes(b"x")
    imports.sweep()
    assert len(stored(media)) == 2
    monkeypatch.setattr(imports, "FORGOTTEN", timedelta(days=-1))
    imports.sweep()
    assert len(stored(media)) == 1
