"""The sidebar of the administration: what an administrator looks for, in that order."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

# Title, icon, name of the page, the permission that it needs.
Item = tuple[str, str, str, str]
GROUPS: list[tuple[str, list[Item]]] = [
    (
        "Catalogue",
        [
            ("Tracks", "library_music", "admin:tracks_track_changelist", "tracks.view_track"),
            ("Import music", "upload", "admin:tracks_import_music", "tracks.add_track"),
            (
                *("Duplicates", "difference", "admin:tracks_duplicatepair_changelist"),
                "tracks.view_duplicatepair",
            ),
        ],
    ),
    (
        "Index and models",
        [
            ("Index", "database", "admin:tracks_index", "tracks.view_indexentry"),
            (
                *("Model versions", "neurology", "admin:tracks_modelversion_changelist"),
                "tracks.view_modelversion",
            ),
            ("Jobs", "checklist", "admin:tracks_job_changelist", "tracks.view_job"),
        ],
    ),
    (
        "Visitors",
        [
            ("Uploads", "upload_file", "admin:matcher_upload_changelist", "matcher.view_upload"),
            ("Matches", "join_inner", "admin:matcher_match_changelist", "matcher.view_match"),
            (
                *("Feedback", "thumbs_up_down", "admin:matcher_feedback_changelist"),
                "matcher.view_feedback",
            ),
        ],
    ),
    (
        "People",
        [
            ("Users", "person", "admin:auth_user_changelist", "auth.view_user"),
            ("Groups", "group", "admin:auth_group_changelist", "auth.view_group"),
            (
                *("Second factors", "phonelink_lock", "admin:mfa_authenticator_changelist"),
                "mfa.view_authenticator",
            ),
            ("API tokens", "key", "admin:api_token_changelist", "api.view_token"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's callback; who may not see a page is not shown its link."""
    overview = {
        "title": "Overview",
        "icon": "dashboard",
        "link": reverse("admin:index"),
    }
    groups: list[dict[str, Any]] = [
        {
            "title": title,
            "items": [_link(*item) for item in items if request.user.has_perm(item[3])],
        }
        for title, items in GROUPS
    ]
    _mark(request.path, [item for group in groups for item in group["items"]])
    return [{"items": [overview]}, *(group for group in groups if group["items"])]


def _link(title: str, icon: str, page: str, _permission: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(page)}


def _mark(path: str, items: list[dict[str, Any]]) -> None:
    """One link is that of the page: the longest, as one page's address may begin another's."""
    here = max(
        (item["link"] for item in items if path.startswith(item["link"])), key=len, default=""
    )
    for item in items:
        item["active"] = item["link"] == here
