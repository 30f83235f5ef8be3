"""The language of a page: what its visitor chose in the footer, else what the browser asks for."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

# Without a token: it would give a cookie to everybody who opens any page, and all that a foreign
# site could do with this form is to change a visitor's language.
choose = csrf_exempt(set_language)


class SiteLocaleMiddleware(LocaleMiddleware):
    """The administration is in English alone: one half in another language helps nobody."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path_info.startswith("/admin/"):
            super().process_request(request)
            return
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE
