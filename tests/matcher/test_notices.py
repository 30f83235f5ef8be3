"""The e-mail about the end of a long wait: asked for, sent once, and never in the job's way."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from matcher import jobs, notices, tasks
from matcher.models import Notice, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.test_jobs import Found
from tracks.models import Track

LONG, SHORT = timedelta(minutes=2, seconds=1), timedelta(minutes=1, seconds=59)
PAGE = "https://site.example/uploads/1/"


@pytest.fixture
def address(owner: Any) -> EmailAddress:
    """The owner's, verified."""
    return EmailAddress.objects.create(
        user=owner, email="olivia@example.org", verified=True, primary=True
    )


def waiting(upload: Upper, since: timedelta, **fields: Any) -> Upload:
    """A queued upload whose owner has wished to be told."""
    row = upload(queued_at=timezone.now() - since, **fields)
    assert notices.wish(row, PAGE)
    return row


def answer(track: Track) -> None:
    """Claims what waits and answers it with that track."""
    job = jobs.claim()
    assert job is not None
    Upload.objects.filter(pk=job.pk).update(state=State.SEARCHING)
    job.refresh_from_db()
    jobs.finish(job, [Found(track)], duration=20.0)


# --- the mail ------------------------------------------------------------------------------


def test_the_mail_speaks_the_language_in_which_it_was_asked_for(
    owner_client: Client, upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    row = upload(queued_at=timezone.now() - LONG)
    german = {"Accept-Language": "de"}
    owner_client.post(f"/uploads/{row.pk}/tell/", {"tell": "1"}, headers=german)
    answer(tracks[1])
    tasks.send_notices()
    (sent,) = mail.outbox
    assert "klingt wie" in sent.subject
    assert "Das ähnlichste Stück unseres Katalogs" in sent.body


def test_the_mail_names_the_closest_track_and_where_to_look(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    waiting(upload, LONG)
    answer(tracks[1])
    tasks.send_notices()
    (sent,) = mail.outbox
    assert sent.to == ["olivia@example.org"]
    assert sent.subject == "song.mp3 sounds like Piece 1"
    assert "Piece 1 (close)" in sent.body
    assert "Soundtrack: A game" in sent.body
    assert PAGE in sent.body


def test_names_are_written_as_they_are_and_add_no_line_to_the_subject(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    Track.objects.update(title="Fire & <Ice>\nBcc: all@example.org")
    waiting(upload, LONG)
    answer(tracks[0])
    notices.send_due()
    assert mail.outbox[0].subject == "song.mp3 sounds like Fire & <Ice> Bcc: all@example.org"
    assert mail.outbox[0].recipients() == ["olivia@example.org"]


def test_a_job_that_failed_is_told_with_its_reason(
    upload: Upper, version: Any, address: EmailAddress
) -> None:
    waiting(upload, LONG)
    job = jobs.claim()
    assert job is not None
    jobs.fail(job, "silent")
    notices.send_due()
    (sent,) = mail.outbox
    assert sent.subject == "song.mp3 could not be answered"
    assert "There is nothing to hear in this file" in sent.body


def test_an_answer_whose_tracks_are_gone_is_told_without_one(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    waiting(upload, LONG)
    answer(tracks[0])
    Track.objects.all().delete()
    notices.send_due()
    assert mail.outbox[0].subject == "song.mp3 is done"


# --- when it is sent -----------------------------------------------------------------------


def test_it_is_sent_exactly_once_however_often_the_sweep_looks(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    waiting(upload, LONG)
    assert notices.send_due() == 0
    answer(tracks[0])
    assert [notices.send_due() for _ in range(3)] == [1, 0, 0]
    assert len(mail.outbox) == 1


def test_a_job_whose_worker_was_lost_is_told_once_and_all_of_its_waiting_counts(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    waiting(upload, LONG)
    assert jobs.claim()
    Upload.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    assert jobs.give_back_silent()  # it is queued anew, as of now
    assert notices.send_due() == 0
    answer(tracks[0])
    assert [notices.send_due(), notices.send_due()] == [1, 0]


def test_a_job_that_is_queued_again_after_its_mail_is_not_told_of_again(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    row = waiting(upload, LONG)
    answer(tracks[0])
    notices.send_due()
    row.refresh_from_db()
    jobs.queue_again(row)
    Upload.objects.update(queued_at=timezone.now() - LONG)
    answer(tracks[0])
    assert notices.send_due() == 0
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_once_send_one_mail(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    waiting(upload, LONG)
    answer(tracks[0])
    start = threading.Barrier(4)

    def look() -> None:
        try:
            start.wait()
            notices.send_due()
        finally:
            connection.close()

    workers = [threading.Thread(target=look) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(mail.outbox) == 1


def test_what_ends_within_two_minutes_is_not_told_by_mail(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    waiting(upload, SHORT)
    answer(tracks[0])
    assert notices.send_due() == 0
    assert mail.outbox == []
    assert not Notice.objects.exists()


def test_nothing_is_sent_to_whoever_did_not_ask(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    upload(queued_at=timezone.now() - LONG)
    answer(tracks[0])
    assert notices.send_due() == 0


def test_nothing_is_sent_to_an_address_that_is_not_verified(
    upload: Upper, tracks: list[Track], address: EmailAddress
) -> None:
    waiting(upload, LONG)
    answer(tracks[0])
    EmailAddress.objects.update(verified=False)
    assert notices.send_due() == 0
    assert mail.outbox == []


def test_a_mail_that_cannot_be_sent_is_logged_and_leaves_the_answer_alone(
    upload: Upper,
    tracks: list[Track],
    address: EmailAddress,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for name in ("one.mp3", "two.mp3"):
        waiting(upload, LONG, original_name=name)
        answer(tracks[0])
    tasks.send_notices()
    assert Notice.objects.count() == 1  # the other one is left to the next round
    tasks.send_notices()
    for row in Upload.objects.all():
        assert f"no mail about upload {row.pk}" in caplog.text
    assert set(Upload.objects.values_list("state", flat=True)) == {State.FINISHED}
    assert not Notice.objects.exists()


def test_a_wish_goes_with_its_upload(upload: Upper, address: EmailAddress) -> None:
    waiting(upload, LONG).delete()
    assert not Notice.objects.exists()


# --- the form ------------------------------------------------------------------------------


def test_the_wish_is_made_and_unmade_on_the_page_of_the_waiting_job(
    owner_client: Client, upload: Upper, address: EmailAddress
) -> None:
    row = upload()
    here = f"/uploads/{row.pk}/"
    assert "Tell me by e-mail" in owner_client.get(here).content.decode()
    assert owner_client.post(f"{here}tell/", {"tell": "yes"})["Location"] == here
    wished = Notice.objects.get()
    assert (wished.address, wished.since) == (f"http://testserver{here}", row.queued_at)
    assert "we write to olivia@example.org" in owner_client.get(here).content.decode()
    owner_client.post(f"{here}tell/")
    assert not Notice.objects.exists()


def test_asking_twice_is_asking_once(
    owner_client: Client, upload: Upper, address: EmailAddress
) -> None:
    row = upload()
    for _ in range(2):
        owner_client.post(f"/uploads/{row.pk}/tell/", {"tell": "yes"})
    assert Notice.objects.count() == 1


def test_htmx_is_given_the_form_alone(
    owner_client: Client, upload: Upper, address: EmailAddress
) -> None:
    path = f"/uploads/{upload().pk}/tell/"
    response = owner_client.post(path, {"tell": "yes"}, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert text.lstrip().startswith('<div class="tell" id="tell">')
    assert "Rather not" in text


def test_once_the_job_has_ended_there_is_nothing_to_wish_for(
    owner_client: Client, answered: Upload, address: EmailAddress
) -> None:
    path = f"/uploads/{answered.pk}/tell/"
    response = owner_client.post(path, {"tell": "yes"}, headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"
    assert not Notice.objects.exists()


def test_without_a_verified_address_the_page_leads_to_one_and_takes_no_wish(
    owner_client: Client, upload: Upper
) -> None:
    row = upload()
    page = owner_client.get(f"/uploads/{row.pk}/").content.decode()
    assert 'href="/accounts/email/">verified e-mail address' in page
    owner_client.post(f"/uploads/{row.pk}/tell/", {"tell": "yes"})
    assert not Notice.objects.exists()


def test_a_stranger_makes_no_wish_for_somebody_else(stranger_client: Client, upload: Upper) -> None:
    path = f"/uploads/{upload().pk}/tell/"
    assert stranger_client.post(path, {"tell": "yes"}).status_code == 404
    assert not Notice.objects.exists()
