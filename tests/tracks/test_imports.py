"""An import is planned, done on its owner's word, and survives whatever happens to its worker."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import mutagen.flac
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.tracks.conftest import song
from tracks import importing
from tracks.models import ImportItem, Job, ModelVersion, Track
from tracks.services import catalogue, imports, jobs
from tracks.tasks import import_step, sweep_index

pytestmark = pytest.mark.django_db
PAGE = "/admin/tracks/job/import/"
State, Item = Job.State, ImportItem.State


class Killed(BaseException):
    """As SIGKILL does it: nothing may be done after it."""


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tagged(content: bytes, **tags: str) -> bytes:
    file = io.BytesIO(content)
    flac = mutagen.flac.FLAC(file)
    flac.update(tags)
    file.seek(0)
    flac.save(file)
    return file.getvalue()


def send(
    client: Client, archive: bytes | None = None, files: dict[str, bytes] | None = None, **more: Any
) -> Job:
    """Posts the form of the administration."""
    fields: dict[str, Any] = {"renew": "on", **more}
    if archive is not None:
        fields["archive"] = SimpleUploadedFile("music.zip", archive)
    if files:
        fields["audio"] = [SimpleUploadedFile(*pair) for pair in files.items()]
    answer = client.post(PAGE, fields)
    assert answer.status_code == 302, answer.content.decode()
    return Job.objects.latest("pk")


def work(job: Job) -> Job:
    """Steps until there is none to take."""
    while Job.objects.filter(kind=Job.Kind.IMPORT, state=State.QUEUED).exists():
        import_step(job.pk)
    job.refresh_from_db()
    return job


def done(job: Job) -> Job:
    assert work(job).state == State.PLANNED
    assert jobs.go(job)
    return work(job)


def states(job: Job) -> dict[str, tuple[str, str]]:
    return {item.name: (item.state, item.code) for item in job.items.all()}


def stored(media: Path) -> list[Path]:
    return [path for path in (media / "imports").rglob("*") if path.is_file()]


def audio_files(media: Path) -> int:
    return sum(path.is_file() for path in (media / "tracks").rglob("*"))


TWELVE = {f"Kit/Part {seed}.flac": seed for seed in range(12)}


@pytest.fixture
def twelve() -> bytes:
    return zipped({name: song(seed) for name, seed in TWELVE.items()})


@pytest.fixture
def three() -> bytes:
    return zipped({f"Kit/{seed}.flac": song(seed) for seed in range(3)})


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
    messages = set(LogEntry.objects.values_list("change_message", flat=True))
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


@pytest.mark.parametrize(("order", "state"), [("pause", State.PAUSED), ("cancel", State.CANCELLED)])
def test_a_worker_stops_after_the_file_in_hand_when_told(
    administrator_client: Client,
    three: bytes,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
    state: str,
) -> None:
    job = work(send(administrator_client, three))
    jobs.go(job)
    tell, told = jobs.tell, []

    def telling(mine: Job, progress: Any) -> bool:
        told.append(1)
        if len(told) == 2:  # after the first file
            getattr(jobs, order)(Job.objects.get(pk=mine.pk))
        return tell(mine, progress)

    monkeypatch.setattr(jobs, "tell", telling)
    import_step(job.pk)
    job.refresh_from_db()
    assert job.state == state
    assert Track.objects.count() == 1


def test_a_paused_import_goes_on_where_it_stood(administrator_client: Client, three: bytes) -> None:
    job = work(send(administrator_client, three))
    jobs.go(job)
    assert jobs.pause(job)
    assert work(job).state == State.PAUSED
    assert Track.objects.count() == 0
    assert jobs.resume(job)
    assert work(job).state == State.FINISHED
    assert Track.objects.count() == 3


# --- a worker's death ----------------------------------------------------------------------

DEATHS = [
    (imports, "list_members"),
    (imports, "settle"),
    (imports, "record"),
    (importing, "put"),
    (importing, "probe"),
    (jobs, "tell"),
    (jobs, "planned"),
    (jobs, "finish"),
    (catalogue.index, "queue_track"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("place", "name"), DEATHS)
def test_a_worker_that_dies_at_any_write_does_nothing_twice_and_loses_nothing(
    administrator_client: Client,
    three: bytes,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Any,
    name: str,
    moment: str,
) -> None:
    real = getattr(place, name)
    job = send(administrator_client, three)
    kill_at(monkeypatch, place, name, moment)
    survive(job)
    assert job.state == State.PLANNED
    assert jobs.go(job)
    monkeypatch.setattr(place, name, real)
    kill_at(monkeypatch, place, name, moment)
    survive(job)
    assert job.state == State.FINISHED
    assert set(states(job).values()) == {(Item.CREATED, "")}
    assert Track.objects.count() == 3
    assert LogEntry.objects.count() == 3
    assert audio_files(media) == 3
    assert stored(media) == []


def kill_at(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, moment: str) -> None:
    """The first time that it is called the worker dies, and cleans nothing up."""
    real, forget = getattr(place, name), imports.forget_half_written

    def dying(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(place, name, real)
        monkeypatch.setattr(imports, "forget_half_written", lambda job: None)
        if moment == "after":
            real(*args, **kwargs)
        raise Killed(forget)

    monkeypatch.setattr(place, name, dying)


def survive(job: Job) -> None:
    """Works on as the sweep and the next worker do."""
    for _ in range(4):
        try:
            work(job)
        except Killed as end:
            imports.forget_half_written = end.args[0]
            long_ago = timezone.now() - timedelta(minutes=5)
            Job.objects.filter(pk=job.pk, state=State.RUNNING).update(heartbeat_at=long_ago)
            sweep_index()
    job.refresh_from_db()


def test_a_file_that_takes_every_worker_with_it_is_refused_and_the_others_are_imported(
    administrator_client: Client, three: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(send(administrator_client, three))
    jobs.go(job)
    real = importing.probe

    def deadly(path: Path) -> Any:
        if hashlib.sha256(path.read_bytes()).hexdigest() == hashlib.sha256(song(0)).hexdigest():
            raise Killed(imports.forget_half_written)
        return real(path)

    monkeypatch.setattr(importing, "probe", deadly)
    survive(job)
    assert job.state == State.FINISHED
    assert states(job)["Kit/0.flac"] == (Item.REFUSED, "worker-lost")
    assert Track.objects.count() == 2


# --- hostile zips --------------------------------------------------------------------------


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


# --- the page ------------------------------------------------------------------------------


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
