"""A track is taken down with a reason, leaves its trace, and comes back only by its own bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from ml.errors import AudioError
from tests.tracks.conftest import song
from tests.tracks.test_admin import ADD, errors, upload
from tracks import selectors
from tracks.models import DuplicatePair, IndexEntry, ModelVersion, Track
from tracks.services import duplicates, index, withdrawal
from tracks.services.catalogue import Texts, add_track, delete_track

pytestmark = pytest.mark.django_db
LIST = "/admin/tracks/track/"
Commit = Callable[..., Any]


def files(media: Path) -> list[Path]:
    return [path for path in (media / "tracks").rglob("*") if path.is_file()]


def history(track: Track) -> list[str]:
    entries = LogEntry.objects.filter(object_id=str(track.pk), content_type__model="track")
    return [entry.get_change_message() for entry in entries.order_by("pk")]


@pytest.fixture
def withdrawn(
    version: ModelVersion, add: Callable[..., Track], django_capture_on_commit_callbacks: Commit
) -> Track:
    """A track that was taken down."""
    track = add(1, title="7 Days")
    with django_capture_on_commit_callbacks(execute=True):
        assert withdrawal.withdraw(track, "The composer asked for it")
    track.refresh_from_db()
    return track


def test_a_withdrawn_track_leaves_its_trace_but_no_file_and_no_index_entry(
    withdrawn: Track, media: Path
) -> None:
    assert withdrawn.withdrawn_at
    assert withdrawn.withdrawn_why == "The composer asked for it"
    assert (withdrawn.audio.name, withdrawn.title) == ("", "7 Days")
    assert not files(media)
    assert not IndexEntry.objects.exists()


def test_the_file_stays_until_the_withdrawal_is_certain(
    add: Callable[..., Track], media: Path, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        withdrawal.withdraw(add(1), "why")
    assert files(media)
    assert callbacks


def test_a_track_is_withdrawn_once(withdrawn: Track) -> None:
    assert not withdrawal.withdraw(withdrawn, "again")
    withdrawn.refresh_from_db()
    assert withdrawn.withdrawn_why == "The composer asked for it"


def test_a_withdrawn_track_is_gone_from_the_catalogue_and_from_every_new_index(
    withdrawn: Track, version: ModelVersion, client: Client
) -> None:
    assert withdrawn not in selectors.catalogue()
    assert "7 Days" not in client.get("/catalogue/").content.decode()
    for url in (f"/catalogue/{withdrawn.pk}/", f"/catalogue/{withdrawn.pk}/audio/"):
        assert client.get(url).status_code == 404
    assert index.queue_missing(version) == 0


def test_a_worker_that_hears_a_track_while_it_is_withdrawn_writes_nothing(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    track = add(1)
    entry = index.claim()
    assert entry is not None
    withdrawal.withdraw(track, "why")
    assert not index.complete(entry, embedding=[1.0] * 8, encoding=b"x", duration=3.0)
    assert not IndexEntry.objects.exists()


def test_no_import_brings_a_withdrawn_track_back(
    withdrawn: Track, administrator_client: Client, media: Path, tmp_path: Path, capsys: Any
) -> None:
    with pytest.raises(AudioError) as refused:
        add_track(ContentFile(song(1)), Texts("Again"))
    assert refused.value.code == "withdrawn"
    response = administrator_client.post(ADD, upload(song(1), title="Again"))
    assert "withdrawn from the catalogue. (The composer asked for it)" in errors(response)
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "again.flac").write_bytes(song(1))
    with pytest.raises(SystemExit):
        call_command("import_tracks", folder)
    assert "again.flac: withdrawn" in capsys.readouterr().out
    withdrawn.refresh_from_db()
    assert (withdrawn.title, withdrawn.audio.name) == ("7 Days", "")
    assert not files(media)


def test_a_withdrawn_track_comes_back_by_its_own_bytes_and_is_indexed_anew(
    withdrawn: Track, media: Path
) -> None:
    assert withdrawal.restore(withdrawn, ContentFile(song(1)))
    withdrawn.refresh_from_db()
    assert (withdrawn.withdrawn_at, withdrawn.withdrawn_why) == (None, "")
    assert [file.read_bytes() for file in files(media)] == [song(1)]
    assert withdrawn.entries.get().state == IndexEntry.State.PENDING
    assert not withdrawal.restore(withdrawn, ContentFile(song(1)))
    assert len(files(media)) == 1


def test_other_bytes_do_not_bring_it_back(
    withdrawn: Track, administrator_client: Client, media: Path
) -> None:
    assert not withdrawal.restore(withdrawn, ContentFile(song(2)))
    url = f"{LIST}{withdrawn.pk}/restore/"
    page = administrator_client.post(url, {"audio": SimpleUploadedFile("a.flac", song(2))})
    assert "This is another file" in page.content.decode()
    assert not files(media)


def test_erasing_a_withdrawn_track_takes_the_trace_too_and_its_bytes_may_come_again(
    withdrawn: Track, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        delete_track(withdrawn)
    assert add_track(ContentFile(song(1)), Texts("Again"))[1]


def test_a_pair_that_was_proposed_goes_with_a_withdrawal_but_a_decision_stays(
    add: Callable[..., Track],
) -> None:
    one, two, three = add(1), add(2), add(3)
    for other in (two, three):
        duplicates.propose(one, other, strength=0.9, spans=[])
    assert duplicates.keep_both(DuplicatePair.objects.get(other=three))
    withdrawal.withdraw(one, "why")
    assert DuplicatePair.objects.get().other == three


def test_the_administrator_withdraws_chosen_tracks_after_a_page_that_asks_for_the_reason(
    version: ModelVersion, administrator_client: Client, add: Callable[..., Track]
) -> None:
    one, two, other = add(1), add(2), add(3)
    form: dict[str, Any] = {"action": "withdraw", "_selected_action": [one.pk, two.pk]}
    asked = administrator_client.post(LIST, form).content.decode()
    assert "Song 1" in asked
    assert "Song 3" not in asked
    without_reason = administrator_client.post(LIST, form | {"sure": "yes", "why": ""})
    assert "This field is required" in without_reason.content.decode()
    assert selectors.catalogue().count() == 3
    done = administrator_client.post(LIST, form | {"sure": "yes", "why": "No rights"}, follow=True)
    assert "2 tracks were withdrawn" in done.content.decode()
    assert list(selectors.catalogue()) == [other]
    assert history(one) == ["Withdrawn: No rights"]
    listed = administrator_client.get(f"{LIST}?withdrawn=yes").content.decode()
    assert "Song 1" in listed
    assert "Song 3" not in listed


def test_the_page_of_a_track_withdraws_it_and_that_of_a_withdrawn_one_restores_it(
    version: ModelVersion, administrator_client: Client, add: Callable[..., Track]
) -> None:
    track = add(1)
    url = f"{LIST}{track.pk}"
    assert administrator_client.get(f"{url}/restore/").status_code == 403
    administrator_client.post(f"{url}/withdraw/", {"sure": "yes", "why": "No rights"})
    page = administrator_client.get(f"{url}/change/").content.decode()
    assert "No rights" in page
    assert "<audio" not in page
    assert "View on site" not in page
    assert administrator_client.get(f"{url}/withdraw/").status_code == 403
    assert "very same file" in administrator_client.get(f"{url}/restore/").content.decode()
    administrator_client.post(f"{url}/restore/", {"audio": SimpleUploadedFile("a.flac", song(1))})
    assert list(selectors.catalogue()) == [track]
    assert history(track) == ["Withdrawn: No rights", "Restored"]
