"""Tokens: made, found again by their secret, revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.utils import timezone

from matcher.api.models import Scope, Token

MOST = 25  # valid ones a person
_PREFIX = "soundsite_"
_SEEN_EVERY = timedelta(minutes=1)  # how exactly `last_used_at` is kept


class TooManyTokens(Exception):
    """The person has MOST valid tokens already."""


def make(
    owner: User, name: str, scopes: Sequence[str], *, expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A new token and its secret, which nobody can find out again later.

    Raises:
        ValueError: the scope `admin` for somebody who is no administrator.
        TooManyTokens: some must be revoked first.
    """
    if Scope.ADMIN in scopes and not owner.is_staff:
        raise ValueError("only administrators may have the scope admin")
    if valid_tokens().filter(owner=owner).count() >= MOST:
        raise TooManyTokens
    prefix = _PREFIX + secrets.token_hex(4)
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    token = Token.objects.create(
        owner=owner,
        name=name,
        prefix=prefix,
        digest=digest(secret),
        scopes=[scope for scope in Scope.values if scope in scopes],
        expires_at=expires_at,
    )
    return token, secret


def digest(secret: str) -> str:
    """SHA-256 is enough: a secret has 256 random bits, so guessing by the digest is hopeless."""
    return hashlib.sha256(secret.encode()).hexdigest()


def tokens_of(owner: User | AnonymousUser) -> QuerySet[Token]:
    """A person's tokens, newest first, those that are no longer valid too."""
    return Token.objects.filter(owner_id=owner.pk).order_by("-created_at", "-pk")


def valid_tokens() -> QuerySet[Token]:
    """Those that open a door: not revoked, not expired, of a person who may sign in."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return Token.objects.filter(unexpired, revoked_at=None, owner__is_active=True)


def find(secret: str) -> Token | None:
    """The valid token of that secret, with its owner; notes that it was used."""
    token = valid_tokens().select_related("owner").filter(digest=digest(secret)).first()
    if token is not None:
        _note_use(token)
    return token


def _note_use(token: Token) -> None:
    """Writes at most once a minute, however often the token is used."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - _SEEN_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)


def revoke(tokens: QuerySet[Token]) -> int:
    """They open nothing any more from now on; returns how many did until now."""
    return tokens.filter(revoked_at=None).update(revoked_at=timezone.now())


def may(token: Token, scope: str) -> bool:
    """Whether the token has the scope; `admin` counts only while its owner is an administrator."""
    return scope in token.scopes and (scope != Scope.ADMIN or token.owner.is_staff)
