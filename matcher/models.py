"""An upload, the states of its job, and the matches that answer it."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from matcher.answer_models import Feedback, Notice, Share, Verdict

__all__ = [
    "ENDED",
    "RUNNING",
    "Feedback",
    "FilesOfDay",
    "Match",
    "Notice",
    "Share",
    "State",
    "Upload",
    "Verdict",
]


class State(models.TextChoices):
    """Where an upload's job stands. The stages of the job are its states."""

    QUEUED = "QUEUED", _("Waiting for its turn")
    DECODING = "DECODING", _("Opening the file")
    EXTRACTING = "EXTRACTING", _("Listening")
    ENCODING = "ENCODING", _("Putting it into codes")
    SEARCHING = "SEARCHING", _("Comparing with the catalogue")
    FINISHED = "FINISHED", _("Answered")
    FAILED = "FAILED", _("Not answered")


RUNNING = (State.DECODING, State.EXTRACTING, State.ENCODING, State.SEARCHING)
ENDED = (State.FINISHED, State.FAILED)
# What a job heard: large, and of no use to lists.


def random_name() -> str:
    """A path that says nothing of the file and cannot be guessed."""
    name = uuid.uuid4().hex
    return f"uploads/{name[:2]}/{name}"


def attempts_allowed() -> int:
    """How often a job may be claimed before it is given up."""
    return settings.MAX_ATTEMPTS


class Upload(models.Model):
    """One file of one person, and the job that finds what it sounds like.

    `attempt` grows with every claim and never goes back: a worker writes only while the row
    still carries the attempt that it claimed.
    """

    # What lists of uploads leave out, with `.defer(*Upload.BULKY)`.
    BULKY = ("encoding", "peaks", "strip")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads", db_index=False
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    error_code = models.CharField(max_length=40, blank=True, default="")
    error_detail = models.TextField(blank=True, default="")
    attempt = models.PositiveIntegerField(default=0)
    attempts_left = models.PositiveSmallIntegerField(default=attempts_allowed)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When this attempt entered each of its stages: {"DECODING": "2026-11-26T15:00:00+00:00", ...}
    stages: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        default=dict, db_default={}, blank=True
    )
    original_name = models.CharField(max_length=255)
    audio = models.FileField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(help_text=_("bytes"))
    sha256 = models.CharField(max_length=64, blank=True)
    duration = models.FloatField(null=True, blank=True, help_text=_("seconds"))
    model_version = models.ForeignKey(
        "tracks.ModelVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="uploads",
        help_text=_("pinned when the job is claimed"),
    )
    # A question without a file of its own: about an upload's sound, or about catalogue tracks.
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="asked_again"
    )
    # {"filters": {...}, "span": [s, s], "like": [track ids], "unlike": [track ids]}, each optional
    question: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, blank=True
    )
    # What the job heard, as `tracks.models.IndexEntry` keeps it; under `model_version`.
    encoding = models.BinaryField(null=True, blank=True)
    peaks = models.BinaryField(null=True, blank=True)
    strip = models.BinaryField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="upload_state_is_known"
            ),
            models.CheckConstraint(
                condition=(Q(state=State.FAILED) & ~Q(error_code=""))
                | (~Q(state=State.FAILED) & Q(error_code="")),
                name="upload_failed_has_a_code",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=RUNNING)
                | Q(heartbeat_at__isnull=False, started_at__isnull=False, attempt__gt=0),
                name="upload_running_has_a_heartbeat",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=ENDED) & Q(finished_at__isnull=False))
                | (~Q(state__in=ENDED) & Q(finished_at__isnull=True)),
                name="upload_ended_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.FINISHED)
                | Q(model_version__isnull=False, duration__isnull=False),
                name="upload_finished_has_a_model",
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0) ^ Q(audio=""), name="upload_is_not_empty"
            ),
        ]
        indexes = [
            # selectors.uploads_of: "my uploads", newest first.
            models.Index(fields=["owner", "-created_at"], name="upload_mine"),
            # jobs.claim and nudges.send_missing: the waiting ones, oldest first.
            models.Index(
                fields=["queued_at"], condition=Q(state=State.QUEUED), name="upload_waiting"
            ),
            # jobs.claim: when one of an owner's uploads was served last.
            models.Index(
                fields=["owner", "started_at"],
                condition=Q(started_at__isnull=False),
                name="upload_served",
            ),
            # waits.place_of: whom the last minutes served, and how long the last jobs took.
            models.Index(
                fields=["started_at"],
                condition=Q(started_at__isnull=False),
                name="upload_started",
            ),
            # jobs.sweep: running ones that have fallen silent.
            models.Index(
                fields=["heartbeat_at"], condition=Q(state__in=RUNNING), name="upload_running"
            ),
        ]

    def __str__(self) -> str:
        return self.original_name

    def get_absolute_url(self) -> str:
        return reverse("matcher:upload", args=[self.pk])

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class FilesOfDay(models.Model):
    """How many files a person has sent in on one day, those that are deleted by now among them."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    day = models.DateField(help_text=_("by UTC; the last one with a file"))
    files = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "files of a day"

    def __str__(self) -> str:
        return f"{self.files} on {self.day}"


class Match(models.Model):
    """One catalogue track that an upload sounds like."""

    upload = models.ForeignKey(
        Upload, on_delete=models.CASCADE, related_name="matches", db_index=False
    )
    rank = models.PositiveSmallIntegerField(help_text=_("1 is the closest"))
    track = models.ForeignKey("tracks.Track", on_delete=models.CASCADE, related_name="+")
    score = models.FloatField(
        help_text=_("per cent of the catalogue whose own best match is further away than this")
    )
    distance = models.FloatField()
    same_recording = models.BooleanField(default=False)
    spans: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True, help_text=_('[{"query": [s, s], "match": [s, s]}]')
    )
    reasons: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True, help_text=_('the strongest first: [{"code": "tempo", ...}]')
    )

    class Meta:
        verbose_name_plural = "matches"
        ordering = ["upload", "rank"]
        constraints = [
            # Also the index of "the matches of this upload, closest first".
            models.UniqueConstraint(fields=["upload", "rank"], name="match_rank_once"),
            models.UniqueConstraint(fields=["upload", "track"], name="match_track_once"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="match_rank_from_one"),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=100), name="match_score_is_per_cent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.track}"
