"""Form widgets that the admin's own do not cover."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from tracks.licences import SPDX


class LicenceInput(UnfoldAdminTextInputWidget):
    """Any text, with SPDX identifiers to choose from."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        choices = f"{name}-spdx"
        field = super().render(name, value, {**(attrs or {}), "list": choices}, renderer)
        options = format_html_join("", '<option value="{}">', ((licence,) for licence in SPDX))
        return format_html('{}<datalist id="{}">{}</datalist>', field, choices, options)
