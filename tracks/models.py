"""The catalogue, the model versions and the index that joins them.

Rows are written by `tracks.services` and read by `tracks.selectors`; nothing else touches a state.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.urls import reverse
from pgvector.django import HalfVectorField

from tracks.job_models import DuplicatePair, ImportItem, Job
from tracks.words import letters, words

__all__ = [
    "DemoFill",
    "DuplicatePair",
    "ImportItem",
    "IndexEntry",
    "Job",
    "ModelVersion",
    "Track",
]


def audio_name(_track: Track, filename: str) -> str:
    """A random storage name that keeps only the ending, which `tracks.media` has chosen."""
    token = uuid.uuid4().hex
    ending = filename.rpartition(".")[2]
    return f"tracks/{token[:2]}/{token}.{ending}"


class TrackQuerySet(models.QuerySet["Track"]):
    """Tracks; those that were withdrawn are only a trace."""

    def shown(self) -> TrackQuerySet:
        """Without what was withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class Track(models.Model):
    """One piece of music of the catalogue, unique by the bytes of its audio file."""

    title = models.CharField(max_length=300)
    artist = models.CharField(max_length=300, blank=True)
    soundtrack = models.CharField(max_length=300, blank=True)
    genre = models.CharField(max_length=100, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    licence = models.CharField(max_length=300, blank=True)
    subset = models.CharField(
        max_length=20, blank=True, help_text="Official part of a data set: training, test ..."
    )
    source = models.CharField(max_length=300, blank=True)
    # Not a URLField: its form field has a default that changes with Django 6.
    source_url = models.CharField(
        max_length=500, blank=True, validators=[URLValidator(schemes=["http", "https"])]
    )
    generated = models.BooleanField(default=False)
    audio = models.FileField(upload_to=audio_name, max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    size = models.PositiveBigIntegerField("bytes")
    duration = models.FloatField("seconds", null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_why = models.CharField("why it was withdrawn", max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TrackQuerySet.as_manager()

    class Meta:
        ordering = ["soundtrack", "title", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(audio="", withdrawn_at__isnull=False)
                | (~Q(audio="") & Q(withdrawn_at__isnull=True)),
                name="withdrawn_track_has_no_file",
            ),
            models.CheckConstraint(condition=~Q(title=""), name="track_has_a_title"),
            models.CheckConstraint(
                condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="track_sha256_is_hexadecimal"
            ),
            models.CheckConstraint(
                condition=Q(duration__isnull=True) | Q(duration__gt=0), name="track_has_a_length"
            ),
        ]
        indexes = [
            # selectors.catalogue: a page of the list, by soundtrack and title
            models.Index(fields=["soundtrack", "title", "id"], name="track_by_soundtrack"),
            # words.having_words and words.spelled_alike
            GinIndex(words(), name="track_words"),
            GinIndex(OpClass(letters(), name="gin_trgm_ops"), name="track_letters"),
            # filters.of_entries: a whole text in any case, and a range of lengths
            models.Index(Upper("soundtrack"), name="track_by_upper_soundtrack"),
            models.Index(Upper("artist"), name="track_by_upper_artist"),
            models.Index(Upper("genre"), name="track_by_upper_genre"),
            models.Index(Upper("licence"), name="track_by_upper_licence"),
            models.Index(fields=["duration"], name="track_by_duration"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.soundtrack})" if self.soundtrack else self.title

    def get_absolute_url(self) -> str:
        return reverse("tracks:track", args=[self.pk])


class ModelVersion(models.Model):
    """A trained model, known by the artefact folder that its workers load."""

    class State(models.TextChoices):
        TRAINING = "TRAINING"
        REGISTERED = "REGISTERED"
        INDEXING = "INDEXING"
        READY = "READY"
        ACTIVE = "ACTIVE"
        RETIRED = "RETIRED"
        ARCHIVED = "ARCHIVED"

    # Versions whose index is kept up with the catalogue; a retired one for the rollback.
    LIVE = (State.INDEXING, State.READY, State.ACTIVE, State.RETIRED)
    # What pages and lists leave out, with `.defer(*ModelVersion.BULKY)`.
    BULKY = ("manifest", "nearest_distances", "evaluation")

    name = models.CharField(max_length=100, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REGISTERED)
    location = models.CharField(max_length=500, help_text="Artefact folder")
    sha256 = models.CharField("SHA-256 of the manifest", max_length=64)
    manifest = models.JSONField()
    embedding_dim = models.PositiveIntegerField()
    nearest_distances = ArrayField(
        models.FloatField(),
        default=list,
        blank=True,
        help_text="Distance of sampled tracks to their nearest other track, ascending",
    )
    calibrated_at = models.DateTimeField(
        null=True, blank=True, help_text="Nearest distances hold for the index of this moment"
    )
    # The places of its entries on the map hold for the index of this moment.
    mapped_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Entries indexed up to this moment were compared with the others for duplicates.
    compared_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What `manage.py evaluate_model` measured: the report of `python -m ml.evaluate --json`.
    evaluation = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="ACTIVE"), name="one_active_model_version"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "TRAINING",
                        "REGISTERED",
                        "INDEXING",
                        "READY",
                        "ACTIVE",
                        "RETIRED",
                        "ARCHIVED",
                    ]
                ),
                name="model_version_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="ACTIVE") | Q(activated_at__isnull=False),
                name="active_version_was_activated",
            ),
            models.CheckConstraint(
                # a row of IndexEntry's `entry_by_tempo` holds at most 2,704 bytes
                condition=Q(embedding_dim__gte=1, embedding_dim__lte=1300),
                name="embedding_can_be_indexed",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class IndexEntry(models.Model):
    """One track as one model version hears it. Claimed while PENDING and its heart beats."""

    # What lists of entries leave out, with `.defer(*IndexEntry.BULKY)`.
    BULKY = ("embedding", "encoding", "peaks", "strip")

    class State(models.TextChoices):
        PENDING = "PENDING"
        INDEXED = "INDEXED"
        FAILED = "FAILED"

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="entries")
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="entries"
    )
    state = models.CharField(max_length=7, choices=State.choices, default=State.PENDING)
    error_code = models.CharField(max_length=40, blank=True)
    # While a failed entry waits for another try: why it failed before, as `code: detail`.
    error_detail = models.TextField(blank=True)
    # Counts claims and never falls: the fence against a worker that was given up.
    attempt = models.PositiveIntegerField(default=0)
    # Claims that fell silent since the entry was last queued.
    losses = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    # No dimension: versions differ. Each has its own HNSW index, see services.versions.
    embedding = HalfVectorField(null=True, blank=True, editable=False)
    encoding = models.BinaryField(null=True, blank=True)
    # bpm, from the facts of the encoding: what searches are filtered by must be a column.
    tempo = models.FloatField(null=True, blank=True)
    # Pictures of the piece: its waveform (`ml.peaks`) and its codes (`ml.strip`, a PNG).
    peaks = models.BinaryField(null=True, blank=True)
    strip = models.BinaryField(null=True, blank=True)
    # Its place on the map of the catalogue (`ml.layout`), each from 0 to 1.
    x = models.FloatField(null=True, blank=True, editable=False)
    y = models.FloatField(null=True, blank=True, editable=False)
    # The job that queued it last; while that is paused, the entry waits.
    job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="entries"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # When its last attempt ended, as INDEXED or FAILED.
    indexed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "index entries"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["track", "model_version"], name="one_entry_a_track_and_version"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["PENDING", "INDEXED", "FAILED"]),
                name="index_entry_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="INDEXED")
                | Q(
                    embedding__isnull=False,
                    encoding__isnull=False,
                    indexed_at__isnull=False,
                    error_code="",
                ),
                name="indexed_entry_has_its_vector",
            ),
            models.CheckConstraint(
                condition=Q(state="FAILED", error_code__gt="")
                | (~Q(state="FAILED") & Q(error_code="")),
                name="failed_entry_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="PENDING") | Q(heartbeat_at__isnull=True),
                name="only_a_claimed_entry_beats",
            ),
            models.CheckConstraint(
                condition=Q(x__isnull=True, y__isnull=True)
                | Q(
                    x__isnull=False,
                    y__isnull=False,
                    x__range=(0, 1),
                    y__range=(0, 1),
                    embedding__isnull=False,
                ),
                name="place_on_the_map_is_whole",
            ),
        ]
        indexes = [
            # services.index.claim: the oldest entry that waits
            models.Index(
                fields=["id"],
                condition=Q(state="PENDING", heartbeat_at__isnull=True),
                name="entry_waiting",
            ),
            # services.index.sweep: claimed entries by their last heartbeat
            models.Index(
                fields=["heartbeat_at"],
                condition=Q(state="PENDING", heartbeat_at__isnull=False),
                name="entry_claimed",
            ),
            # selectors.coverage: entries of a version by state
            models.Index(fields=["model_version", "state"], name="entry_by_version_state"),
            # first_stage.exactly: a range of tempi. Its vectors lie side by side in it, not each on
            # a page of its own; the condition is that of selectors.heard_entries.
            models.Index(
                fields=["model_version", "tempo"],
                include=["id", "track", "embedding"],
                condition=Q(embedding__isnull=False, state__in=["INDEXED", "PENDING"]),
                name="entry_by_tempo",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.track} in {self.model_version}"

    @property
    def heard(self) -> bytes:
        """The encoding as `ml.encoding.Encoding.from_bytes` takes it; empty where there is none."""
        return bytes(self.encoding or b"")


class DemoFill(models.Model):
    """How far the demo catalogue has come: one row, written by `manage.py demo_catalogue`."""

    packages_done = ArrayField(models.CharField(max_length=100), default=list)
    message = models.CharField(max_length=300, blank=True)
    running = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_demo_fill")]

    def __str__(self) -> str:
        return self.message
