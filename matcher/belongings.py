"""What a person can take away: everything in the database that belongs to somebody.

`SECTIONS` is the list of it. Whoever adds a model that hangs on a user, directly or through
another one, adds a section for it here (`plain` makes one from the fields of a model), or names it
in `LEFT_OUT` with the reason; a test compares both with the models that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Model

from matcher.api.models import Token
from matcher.errors import text_of
from matcher.models import Feedback, FilesOfDay, Match, Notice, Share, Upload
from tracks.models import Job, Track

Record = dict[str, Any]
# An upload's place in the archive by its id: files are packed before the records are written.
Places = dict[Any, str]


@dataclass(frozen=True)
class Section:
    """One list of the data file.

    Attributes:
        name: its key.
        models: labels of the models whose rows it holds.
        records: makes them, one by one: a long list is never in memory.
    """

    name: str
    models: tuple[str, ...]
    records: Callable[[User, Places], Iterable[Record]]


def plain(name: str, model: type[Model], owner: str, without: tuple[str, ...] = ()) -> Section:
    """A section with all fields of the rows of a model, save some.

    Args:
        name: key of the section.
        model: whose rows belong to a user.
        owner: the lookup that leads to the user, such as `match__upload__owner`.
        without: fields that are of no use to the person: technical ones, secrets.
    """
    manager = model._default_manager
    fields = [f.attname for f in model._meta.concrete_fields if f.name not in without]

    def records(user: User, _places: Places) -> Iterator[Record]:
        rows = manager.filter(**{owner: user}).order_by("pk").values(*fields)
        return rows.iterator(chunk_size=200)

    return Section(name, (model._meta.label,), records)


def _profile(user: User, _places: Places) -> Iterator[Record]:
    yield {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "joined": user.date_joined,
        "last_sign_in": user.last_login,
        "staff": user.is_staff,
        "superuser": user.is_superuser,
        "groups": [group.name for group in user.groups.order_by("name")],
        "permissions": sorted(user.get_user_permissions()),
    }


def _uploads(user: User, places: Places) -> Iterator[Record]:
    rows = (
        Upload.objects.filter(owner=user)
        .order_by("created_at", "pk")
        .defer(*Upload.BULKY)
        .select_related("model_version")
        .prefetch_related("matches__track")
    )
    for upload in rows.iterator(chunk_size=100):
        yield _upload(upload, places)


def _upload(upload: Upload, places: Places) -> Record:
    return {
        "id": upload.pk,
        "name": upload.original_name,
        "file": places.get(upload.pk),
        "size": upload.size,
        "sha256": upload.sha256,
        "seconds": upload.duration,
        "state": upload.state,
        "error": upload.error_code,
        "error_sentence": str(text_of(upload.error_code).sentence) if upload.error_code else "",
        "attempts": upload.attempt,
        "sent": upload.created_at,
        "queued": upload.queued_at,
        "started": upload.started_at,
        "ended": upload.finished_at,
        "model_version": upload.model_version and upload.model_version.name,
        "asked_about": upload.parent_id,
        "question": upload.question,
        "matches": [_match(match) for match in upload.matches.all()],
    }


def _match(match: Match) -> Record:
    return {
        "rank": match.rank,
        "track": _track(match.track),
        "score": match.score,
        "distance": match.distance,
        "same_recording": match.same_recording,
        "spans": match.spans,
        "reasons": match.reasons,
    }


def _track(track: Track) -> Record:
    fields = ("title", "artist", "soundtrack", "genre", "year", "licence", "source", "source_url")
    return {"id": track.pk} | {name: getattr(track, name) for name in fields}


SECTIONS: list[Section] = [
    Section("profile", (User._meta.label,), _profile),
    plain("email_addresses", EmailAddress, "user", without=("id", "user")),
    Section("uploads", (Upload._meta.label, Match._meta.label), _uploads),
    plain("files_of_day", FilesOfDay, "owner", without=("owner",)),
    plain("feedback", Feedback, "user", without=("user",)),
    plain("shares", Share, "upload__owner", without=("token",)),
    plain("notices", Notice, "upload__owner"),
    plain("api_tokens", Token, "owner", without=("owner", "digest")),
    plain("second_factors", Authenticator, "user", without=("id", "user", "data")),
    plain("signed_in", UserSession, "user", without=("id", "user", "session_key", "data")),
    plain("administered_jobs", Job, "owner", without=("owner",)),
    plain("administered_changes", LogEntry, "user", without=("user",)),
]

# Belongs to a user, but is not handed out.
LEFT_OUT: dict[str, str] = {
    "api.KeptAnswer": "kept for a day for programs that repeat a request",
    "account.EmailConfirmation": "a link in a mail, valid for a few days",
    "auth.User_groups": "stands in the profile",
    "auth.User_user_permissions": "stands in the profile",
}
