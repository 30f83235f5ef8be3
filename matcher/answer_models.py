"""What a person does with an answer: judges a match, shares it by a link, waits for it."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SHARED_FOR = timedelta(days=30)


class Verdict(models.TextChoices):
    """What a person says of a match."""

    GOOD = "GOOD", _("good match")
    NOT_SIMILAR = "NOT_SIMILAR", _("not similar")


class Feedback(models.Model):
    """What one person said of one match, under the model version that made it.

    It belongs to the person and goes with the account. It outlives the upload: what is left then
    is the digest of the file, by which an evaluation knows it again.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feedback", db_index=False
    )
    upload = models.ForeignKey(
        "matcher.Upload", on_delete=models.SET_NULL, null=True, blank=True, related_name="feedback"
    )
    query_sha256 = models.CharField(
        "SHA-256 of the file",
        max_length=64,
        blank=True,
        help_text=_("empty where the question was not one whole file"),
    )
    track = models.ForeignKey("tracks.Track", on_delete=models.CASCADE, related_name="+")
    model_version = models.ForeignKey(
        "tracks.ModelVersion", on_delete=models.PROTECT, related_name="feedback"
    )
    verdict = models.CharField(max_length=11, choices=Verdict.choices)
    said_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ["-said_at", "-pk"]
        constraints = [
            # Also the index of feedback.verdicts_of: a person's words on one answer.
            models.UniqueConstraint(
                fields=["user", "upload", "model_version", "track"], name="feedback_once"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="feedback_verdict_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.track}: {self.get_verdict_display()}"


def new_token() -> str:
    """192 random bits that can stand in an address."""
    return secrets.token_urlsafe(24)


def end_of_share() -> datetime:
    return timezone.now() + SHARED_FOR


class Share(models.Model):
    """A link that shows one answer to whoever holds it, until it expires or is revoked.

    The token itself is kept, not its digest: its owner must be able to copy the link again, and
    whoever can read this table can read the answers, too.
    """

    upload = models.ForeignKey("matcher.Upload", on_delete=models.CASCADE, related_name="shares")
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=end_of_share)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="share_lasts_a_while"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload}, until {self.expires_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("matcher:shared", args=[self.token])

    @property
    def open(self) -> bool:
        """Whether the link still shows its answer; not that of somebody who was shut out."""
        lasts = self.revoked_at is None and self.expires_at > timezone.now()
        return lasts and self.upload.owner.is_active


class Notice(models.Model):
    """A person's wish for an e-mail about the end of an upload's job. Granted, the row goes."""

    upload = models.OneToOneField(
        "matcher.Upload", on_delete=models.CASCADE, related_name="notice", primary_key=True
    )
    since = models.DateTimeField(help_text=_("when the waiting began"))
    # As the person saw it: a worker does not know under which address the site is reached.
    address = models.CharField(max_length=400, help_text=_("of the page, for the mail"))
    language = models.CharField(
        max_length=16, blank=True, db_default="", default="", help_text=_("of that page")
    )

    def __str__(self) -> str:
        return f"{self.upload}, since {self.since:%Y-%m-%d %H:%M}"
