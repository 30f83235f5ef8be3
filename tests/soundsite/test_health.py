from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
def test_the_health_check_answers_while_the_database_is_reachable(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok"}
