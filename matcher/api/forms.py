"""The form that makes a token."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from matcher.api import tokens
from matcher.api.models import Scope, Token

LIFETIMES = [
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("one year")),
    ("", _("until it is revoked")),
]


class TokenForm(forms.Form):
    """Offers only the scopes that the owner may give away."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What will use it, such as “nightly import”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=(),
        initial=[Scope.READ, Scope.MATCH],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(label=_("Valid for"), choices=LIFETIMES, initial="90", required=False)

    def __init__(self, owner: User, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.owner = owner
        offered = [choice for choice in Scope.choices if choice[0] != Scope.ADMIN or owner.is_staff]
        self.fields["scopes"].choices = offered  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        if tokens.valid_tokens().filter(owner=self.owner).count() >= tokens.MOST:
            raise forms.ValidationError(
                _("You have %(most)d valid tokens, which is as many as there may be. Revoke one.")
                % {"most": tokens.MOST}
            )
        return self.cleaned_data

    def make(self) -> tuple[Token, str]:
        """The token and its secret, of a form that is valid."""
        given = self.cleaned_data
        return tokens.make(
            self.owner, given["name"], given["scopes"], expires_at=_moment(given["days"])
        )


def _moment(days: str) -> datetime | None:
    return timezone.now() + timedelta(days=int(days)) if days else None
