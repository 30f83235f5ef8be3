"""The e-mail for whoever does not want to wait in front of the page.

The wish is a row. Whoever deletes that row sends the mail: one mail a wish, however often the job
was tried and however many workers look. A wish whose mail cannot be sent is not tried again.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import get_language, override

from matcher import answers
from matcher.errors import text_of
from matcher.models import ENDED, Notice, State, Upload

logger = logging.getLogger(__name__)

A_LONG_WAIT = timedelta(minutes=2)  # what ends sooner is seen on the page
AT_ONCE = 10  # mails


def address_of(person: User | AnonymousUser) -> str:
    """The verified address of a person; empty where there is none, and then nothing is sent."""
    found = EmailAddress.objects.get_verified(person)
    return found.email if found else ""


def wish(upload: Upload, address: str) -> bool:
    """Have the owner told, in the language of this moment, when the job ends; False if it has.

    Args:
        address: of the upload's page, as the owner sees it.
    """
    if upload.ended:
        return False
    wanted = {"since": upload.queued_at, "address": address}
    wanted["language"] = get_language() or ""
    Notice.objects.get_or_create(upload=upload, defaults=wanted)
    return True


def forget(upload: Upload) -> None:
    """Have nobody told."""
    Notice.objects.filter(upload=upload).delete()


def send_due() -> int:
    """Send what is due and drop what ended soon; returns how many mails were sent.

    The worker that runs this has other duties: it sends a few at a time, and after the first one
    that fails it leaves the rest to the next round, for a mail server that is down fails slowly.
    """
    due = Notice.objects.filter(upload__state__in=ENDED).select_related("upload__owner")
    sent = 0
    for notice in due.order_by("since")[:AT_ONCE]:
        try:
            sent += _grant(notice)
        except Exception:  # smtplib, sockets and back ends of others raise what they like
            logger.exception("no mail about upload %s", notice.upload_id)
            break
    return sent


def _grant(notice: Notice) -> bool:
    """True where the mail was sent."""
    upload, since = notice.upload, notice.since
    taken, _ = Notice.objects.filter(pk=notice.pk, upload__state__in=ENDED).delete()
    ended = upload.finished_at
    if not taken or ended is None or ended - since <= A_LONG_WAIT:
        return False
    recipient = address_of(upload.owner)
    if not recipient:
        logger.info("no mail about upload %s: its owner has no verified address", upload.pk)
        return False
    with override(notice.language or settings.LANGUAGE_CODE):
        _send(upload, notice.address, recipient)
    return True


def _send(upload: Upload, address: str, recipient: str) -> None:
    context = {"upload": upload, "address": address, **_outcome(upload)}
    subject = " ".join(render_to_string("matcher/mail_subject.txt", context).split())
    send_mail(subject, render_to_string("matcher/mail.txt", context), None, [recipient])


def _outcome(upload: Upload) -> dict[str, object]:
    if upload.state == State.FINISHED:
        return {"closest": next(iter(answers.rows_of(upload, most=1)), None)}
    return {"failure": text_of(upload.error_code)}
