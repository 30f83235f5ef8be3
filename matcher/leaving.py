"""Deleting an account with everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from matcher import services
from matcher.api.models import Token
from matcher.errors import LeavingError
from matcher.models import Upload

_AT_ONCE = 500
# Whose rows the administration's history names a person by, and the lookup of the person.
NAMING: list[tuple[type[Model], str]] = [
    (User, "pk"),
    (Upload, "owner"),
    (Token, "owner"),
    (EmailAddress, "user"),
    (Authenticator, "user"),
]


def delete_account(user: User) -> None:
    """Delete a person's row and all that hangs on it, sessions too; then the files.

    All rows go in one transaction; the files once that is certain. Running jobs stop. What an
    administrator did to the catalogue stays, without the name.

    Raises:
        LeavingError: `last-superuser`; nothing was deleted.
    """
    with transaction.atomic():
        _lock(user)
        for model, owner in NAMING:
            _forget_log(model, [str(pk) for pk in _keys(model, owner, user)])
        services.delete_all(user)
        _delete_sessions(user)
        user.delete()


def is_last_superuser(user: User) -> bool:
    """Whether nobody could administer the site any more without this person."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return user.is_superuser and not others.exists()


def _lock(user: User) -> None:
    """Nobody gives this person anything meanwhile, and of two last superusers only one goes."""
    concerned = User.objects.filter(Q(pk=user.pk) | Q(is_superuser=True)).order_by("pk")
    list(concerned.select_for_update())
    if is_last_superuser(user):
        raise LeavingError("last-superuser", user.get_username())


def _keys(model: type[Model], owner: str, user: User) -> QuerySet[Any, Any]:
    return model._default_manager.filter(**{owner: user.pk}).values_list("pk", flat=True)


def _forget_log(model: type[Model], keys: list[str]) -> None:
    """What administrators did to these rows names them, and goes too."""
    kind = ContentType.objects.get_for_model(model)
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        LogEntry.objects.filter(content_type=kind, object_id__in=some).delete()


def _delete_sessions(user: User) -> None:
    """The table does not say whose a session is; its signed content does."""
    Session.objects.filter(pk__in=list(_sessions(user))).delete()


def _sessions(user: User) -> Iterator[str]:
    for session in Session.objects.iterator(chunk_size=1000):
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            yield session.pk
