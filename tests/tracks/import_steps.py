"""An import through the form of the administration, and its steps without a worker."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import mutagen.flac
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tracks.models import ImportItem, Job
from tracks.services import jobs
from tracks.tasks import import_step

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
