"""People who wait, as rows of a running site: code for its Django, run by script/manage shell."""

from __future__ import annotations

# Prints sessions, as JSON, each with the page of a job that waits since `apart` seconds after the
# one before, or with none.
GATHER = """
import json
from datetime import timedelta
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from matcher.models import Upload

def session_of(user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key

waiting, senders, apart = {waiting}, {senders}, {apart}
names = [f"somebody {{number}}" for number in range(waiting + senders)]
people = User.objects.bulk_create([User(username=name, password="!") for name in names])
now = timezone.now()
rows = [
    Upload(owner=owner, original_name="waiting.ogg", audio="nowhere", size=1,
           queued_at=now - timedelta(seconds=apart * (waiting - number)))
    for number, owner in enumerate(people[:waiting])
]
pages = [row.get_absolute_url() for row in Upload.objects.bulk_create(rows)] + [""] * senders
print(json.dumps([(session_of(user), page) for user, page in zip(people, pages)]))
"""

# A worker that keeps each job for `each` seconds and hears nothing, so it needs no processor.
WORK = """
import time
from matcher import jobs

deadline = time.monotonic() + {seconds}
while time.monotonic() < deadline and (upload := jobs.claim()):
    time.sleep({each})
    jobs.fail(upload, "internal", "a stand-in of a benchmark")
"""
