"""What browsers may load and do on our pages (Content-Security-Policy, Permissions-Policy)."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# No inline script or style anywhere, so there is nothing that would need a nonce.
PAGES: dict[str, Any] = {
    "default-src": [SELF],
    "img-src": [SELF, "data:"],  # the code that an authenticator app scans; icons of the API's page
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
# Unfold's pages are written for Alpine, which compiles the expressions in its attributes, and have
# styles in attributes; htmx and Chart.js there write styles, too. Scripts still come from us alone.
ADMINISTRATION: dict[str, Any] = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}
_UNUSED = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
    *("magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)
PERMISSIONS = ", ".join(f"{name}=()" for name in _UNUSED)


class PoliciesMiddleware(CSPMiddleware):
    """Both headers; the administration's pages have a policy of their own."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith("/admin/") and not report_only:
            parts.replace = ADMINISTRATION
        return parts

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return super().process_response(request, response)
