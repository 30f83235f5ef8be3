"""The landing page and a person's own uploads."""

from __future__ import annotations

from django.urls import path

from matcher import (
    account,
    export_views,
    feedback_views,
    map_views,
    mine,
    notice_views,
    question_pages,
    share_views,
    taking,
    views,
)
from matcher.api import pages as api_pages

app_name = "matcher"
urlpatterns = [
    path("", views.landing, name="landing"),
    path("uploads/", mine.uploads, name="uploads"),
    path("uploads/live/", mine.live, name="live"),
    path("uploads/delete/", mine.delete_all, name="delete_all"),
    path("uploads/new/", taking.new, name="new"),
    path("uploads/map.json", map_views.points, name="points"),
    path("uploads/<uuid:upload_id>/", views.upload, name="upload"),
    path("uploads/<uuid:upload_id>/status/", views.status, name="status"),
    path("uploads/<uuid:upload_id>/audio/", views.audio, name="audio"),
    path("uploads/<uuid:upload_id>/strip.png", views.strip, name="strip"),
    path("uploads/<uuid:upload_id>/delete/", views.delete, name="delete"),
    path("uploads/<uuid:upload_id>/again/", views.again, name="again"),
    path("account/", account.account, name="account"),
    path("account/download/", account.download, name="download"),
    path("account/delete/", account.leave, name="leave"),
    path("uploads/<uuid:upload_id>/ask/", question_pages.ask, name="ask"),
    path("seeds/", question_pages.seeds, name="seeds"),
    path("catalogue/<int:pk>/similar/", question_pages.similar, name="similar"),
    path("uploads/<uuid:upload_id>/tell/", notice_views.tell, name="tell"),
    path("uploads/<uuid:upload_id>/feedback/", feedback_views.say, name="feedback"),
    path("uploads/<uuid:upload_id>/export.<slug:ending>", export_views.export, name="export"),
    path("uploads/<uuid:upload_id>/shares/", share_views.share, name="share"),
    path(
        "uploads/<uuid:upload_id>/shares/<int:share_id>/revoke/",
        share_views.revoke,
        name="revoke",
    ),
    path("s/<slug:token>/", share_views.shared, name="shared"),
    path("s/<slug:token>/audio/", share_views.audio, name="shared_audio"),
    path("s/<slug:token>/strip.png", share_views.strip, name="shared_strip"),
    path("account/tokens/", api_pages.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", api_pages.revoke, name="revoke-token"),
]
