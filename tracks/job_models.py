"""Long jobs of the administrator: the row is the truth, pausing and ending are writes to it.

Rows are written by `tracks.services.jobs`; a worker owns a RUNNING row while its heart beats.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse


class Job(models.Model):
    """Something that takes longer than a task may: it is done in steps that any worker takes up."""

    class Kind(models.TextChoices):
        IMPORT = "IMPORT"
        INDEX = "INDEX"
        TRAIN = "TRAIN"
        EVALUATE = "EVALUATE"

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        PLANNED = "PLANNED", "Waits for your word"
        PAUSED = "PAUSED"
        FINISHED = "FINISHED"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    ENDED = (State.FINISHED, State.FAILED, State.CANCELLED)

    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    title = models.CharField(max_length=200)
    options = models.JSONField(default=dict, blank=True)
    # What has come of it so far, by kind: epochs of a training, figures of an evaluation.
    progress = models.JSONField(default=dict, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_detail = models.TextField(blank=True)
    # Counts claims and never falls: the fence against a worker that was given up.
    attempt = models.PositiveIntegerField(default=0)
    # Claims that fell silent without any progress since.
    losses = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        *("QUEUED", "RUNNING", "PLANNED", "PAUSED"),
                        *("FINISHED", "FAILED", "CANCELLED"),
                    ]
                ),
                name="job_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state="RUNNING") | Q(heartbeat_at__isnull=True),
                name="only_a_running_job_beats",
            ),
            models.CheckConstraint(
                condition=Q(state="FAILED", error_code__gt="")
                | (~Q(state="FAILED") & Q(error_code="")),
                name="failed_job_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["FINISHED", "FAILED", "CANCELLED"], ended_at__isnull=False)
                | (~Q(state__in=["FINISHED", "FAILED", "CANCELLED"]) & Q(ended_at__isnull=True)),
                name="ended_job_says_when",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("admin:tracks_job_change", args=[self.pk])

    @property
    def ended(self) -> bool:
        return self.state in self.ENDED


class ImportItem(models.Model):
    """One file of an import: what is planned for it, then what became of it."""

    class State(models.TextChoices):
        WAITING = "WAITING", "to look at"
        CREATE = "CREATE", "to create"
        UPDATE = "UPDATE", "to update"
        CREATED = "CREATED", "created"
        UPDATED = "UPDATED", "updated"
        SKIPPED = "SKIPPED", "skipped"
        REFUSED = "REFUSED", "refused"

    PLANNED = (State.CREATE, State.UPDATE)
    DONE = (State.CREATED, State.UPDATED, State.SKIPPED, State.REFUSED)

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    # As people know the file: its path in the zip, or its name.
    name = models.CharField(max_length=500)
    # Where its bytes are: a name in the storage; empty for a member of the job's zip.
    stored = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    code = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    track = models.ForeignKey("tracks.Track", on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="one_item_a_place"),
        ]
        indexes = [
            models.Index(fields=["job", "state", "position"], name="item_by_job_state"),
        ]

    def __str__(self) -> str:
        return self.name


class DuplicatePair(models.Model):
    """Two tracks that hold the same recording, as their codes say; an administrator decides.

    One that was merged has gone with the track that went.
    """

    class State(models.TextChoices):
        PROPOSED = "PROPOSED"
        KEPT = "KEPT", "Kept both"

    one = models.ForeignKey("tracks.Track", on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey("tracks.Track", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    strength = models.FloatField(help_text="Correlation of the best window of their codes")
    seconds = models.FloatField(help_text="Length of the longest stretch that they share")
    spans: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True, help_text='[{"one": [s, s], "other": [s, s]}]'
    )
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-strength", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="one_pair_of_two_tracks"),
            models.CheckConstraint(condition=Q(one__lt=models.F("other")), name="pair_is_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.one} and {self.other}"
