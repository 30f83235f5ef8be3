"""What the API remembers: who may call it, what it has answered, and how often it was asked."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a token may do. No scope contains another one."""

    READ = "read", _("read: see uploads and their results")
    MATCH = "match", _("match: send in, ask again and delete uploads")
    ADMIN = "admin", _("admin: see the model versions and the state of the index")


class Token(models.Model):
    """The right of a program to act for a person. Only the digest of the secret is kept."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=20, editable=False)
    digest = models.CharField("SHA-256", max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(digest__regex="^[0-9a-f]{64}$"), name="token_digest_is_hexadecimal"
            ),
            models.CheckConstraint(condition=~Q(scopes=[]), name="token_has_a_scope"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values), name="token_scopes_are_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def valid(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and not self.expired

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered, for those that repeat it."""

    token = models.ForeignKey(
        Token, on_delete=models.CASCADE, related_name="kept_answers", db_index=False
    )
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=500, blank=True)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            # Also the index of idempotency.once: the answer to this key.
            models.UniqueConstraint(fields=["token", "key"], name="answer_kept_once"),
        ]
        indexes = [
            # tasks.forget: what is older than a day
            models.Index(fields=["created_at"], name="answer_by_age"),
        ]

    def __str__(self) -> str:
        return self.key


class Rate(models.Model):
    """How much of its allowance a token or an address has used: a bucket that leaks.

    `level` requests lay in the bucket at `spent_at`; it empties evenly over rates.WINDOW.
    """

    key = models.CharField(primary_key=True, max_length=100)
    level = models.FloatField()
    granted = models.BooleanField(help_text="whether the last request was let in")
    spent_at = models.DateTimeField()

    class Meta:
        indexes = [
            # tasks.forget: buckets that have run empty long ago
            models.Index(fields=["spent_at"], name="rate_by_age"),
        ]

    def __str__(self) -> str:
        return self.key
