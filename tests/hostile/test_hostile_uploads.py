"""Hostile files and names by the visitor's own road: the form, the row, the worker, the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from matcher import jobs, services, tasks
from matcher.models import State, Upload
from ml import isolated
from ml.pretrained import DEFAULT
from tests.hostile.files import ANSWERED, REFUSED, sounds
from tracks.indexing import index_next
from tracks.models import ModelVersion
from tracks.services.catalogue import Texts, add_track
from tracks.services.versions import install_model

pytestmark = pytest.mark.django_db
FORM = "/uploads/new/"
CHOSEN = (  # one of each kind
    *("a m3u8", "a playlist before an mp3", "a movie whose sound is elsewhere", "a zip of death"),
    *("ten hours in 3 KB of wav", "nothing but no numbers", "an unknown codec"),
)


@pytest.fixture(autouse=True)
def _site(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.UPLOAD_MIN_SECONDS = 1
    settings.HEARTBEAT_SECONDS = 600  # its own connection would not see the test's rows


@pytest.fixture
def model() -> ModelVersion:
    """The bundled one, with one track in its index."""
    version = install_model(DEFAULT)[0]
    add_track(ContentFile(sounds()["flac"], name="a.flac"), Texts("A piece"))
    assert index_next()
    return version


def ended(owner: Any, content: bytes) -> Upload:
    """The upload after its job, which the worker's own function has ended."""
    services.create_upload(owner, ContentFile(content, name="song.mp3"))
    upload = jobs.claim()
    assert upload is not None
    tasks.run(upload)
    return Upload.objects.get(pk=upload.pk)


def test_every_job_ends_and_the_worker_answers_the_next(owner: Any, model: ModelVersion) -> None:
    for name in CHOSEN:
        code, made = REFUSED[name]
        upload = ended(owner, made())
        assert (upload.state, upload.error_code) == (State.FAILED, code), name
    for made in ANSWERED.values():
        upload = ended(owner, made())
        assert (upload.state, upload.error_code) == (State.FINISHED, "")
        assert upload.matches.count() == 1


def test_a_decoder_that_dies_costs_one_upload(
    owner: Any, model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(isolated, "WALL_SECONDS", 0.0)
        lost = ended(owner, sounds()["mp3"])
    assert (lost.state, lost.error_code) == (State.FAILED, "decoder-limit")
    assert ended(owner, sounds()["ogg"]).state == State.FINISHED


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd.mp3", "passwd.mp3"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("song\0.php\0.mp3", "song.php.mp3"),
        ("song\u202egpj.mp3", "songgpj.mp3"),
        ("song\r\nSet-Cookie: a=b.mp3", "songSet-Cookie: a=b.mp3"),
        ("x" * 4000 + ".mp3", "x" * 255),
        ("<script>alert(1)</script>.mp3", "script>.mp3"),
        ("\u202e\0", "untitled"),
        ("..", "untitled"),
    ],
    ids=["climbs", "backslashes", "nul", "right-to-left", "lines", "long", "html", "none", "dots"],
)
def test_a_name_is_only_a_label(
    owner: Any, owner_client: Client, settings: Any, name: str, shown: str
) -> None:
    upload = services.create_upload(owner, ContentFile(b"sound", name=name))
    upload.refresh_from_db()
    assert upload.original_name == shown
    (kept,) = (path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())
    assert kept.relative_to(settings.MEDIA_ROOT).as_posix() == upload.audio.name
    assert upload.audio.name.startswith("uploads/")
    page = owner_client.get(upload.get_absolute_url())
    assert page.status_code == 200
    assert b"<script>alert" not in page.content


@pytest.mark.parametrize(
    "name", ["../x.mp3", "a\0b.mp3", "\u202ex.mp3", "y" * 4000, "'\";\r\n.mp3"]
)
def test_the_form_takes_any_name(owner_client: Client, name: str) -> None:
    file = SimpleUploadedFile("song.mp3", b"sound")
    file._name = name  # as sent: the class itself would tidy it
    response = owner_client.post(FORM, {"audio": file})
    assert response.status_code in (302, 400)
    if response.status_code == 302:
        assert owner_client.get(response["Location"]).status_code == 200
    else:
        assert not Upload.objects.exists()
