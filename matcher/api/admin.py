"""The administration of tokens: looking and revoking. A secret is nowhere to be seen."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from matcher.admin import LookingOnly
from matcher.api import tokens
from matcher.api.models import Token

_STATES = {_("valid"): "success", _("expired"): "warning", _("revoked"): "danger"}


@admin.register(Token)
class TokenAdmin(LookingOnly, ModelAdmin):
    list_display = ("name", "owner", "prefix", "allowed", "state", "last_used_at", "expires_at")
    list_filter = ("revoked_at", "expires_at", "last_used_at")
    search_fields = ("name", "prefix", "owner__username", "owner__email")
    list_select_related = ("owner",)
    list_per_page = 50
    fields = (
        *("owner", "name", "prefix", "allowed", "state"),
        *("created_at", "last_used_at", "expires_at", "revoked_at"),
    )
    actions = ("revoke",)

    @display(description=_("Scopes"))
    def allowed(self, token: Token) -> str:
        return ", ".join(token.scopes)

    @display(description=_("State"), label=_STATES)
    def state(self, token: Token) -> str | Promise:
        if token.revoked_at is not None:
            return _("revoked")
        return _("expired") if token.expired else _("valid")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("api.change_token"))

    @action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        valid = list(queryset.filter(revoked_at=None))
        revoked = tokens.revoke(queryset)
        for token in valid:
            self.log_change(request, token, "Revoked")
        sentence = ngettext("%d token was revoked.", "%d tokens were revoked.", revoked)
        self.message_user(request, sentence % revoked, messages.SUCCESS)
