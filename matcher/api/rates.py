"""How often one may ask: a bucket that leaks, a row of PostgreSQL each.

One statement looks and spends under the lock of its row, so that any number of web processes
agree. The headers are those of draft-ietf-httpapi-ratelimit-headers (10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from matcher.api.models import Token

WINDOW = 60  # seconds in which a full bucket runs empty

# The level after what has leaked since; a request that does not fit leaves it as it is.
_SPEND = """
    INSERT INTO api_rate AS bucket (key, level, granted, spent_at)
    VALUES (%(key)s, 1, true, clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET (level, granted, spent_at) = (
        SELECT CASE WHEN fits THEN left_over + 1 ELSE left_over END, fits, clock_timestamp()
        FROM (
            SELECT left_over, left_over + 1 <= %(quota)s AS fits
            FROM (
                SELECT greatest(0, bucket.level - %(quota)s * extract(
                    epoch FROM clock_timestamp() - bucket.spent_at
                )::double precision / %(window)s) AS left_over
            ) AS leaked
        ) AS judged
    )
    RETURNING level, granted
"""


@dataclass(frozen=True)
class Allowance:
    """What is left after one more request.

    Attributes:
        policy: its name, "token" or "address".
        quota: requests that fit into the bucket, and that leak from it in WINDOW seconds.
        level: requests in the bucket.
        granted: whether this request still fitted.
    """

    policy: str
    quota: int
    level: float
    granted: bool

    @property
    def retry_after(self) -> int:
        """Seconds until one request fits again."""
        return max(1, math.ceil((self.level + 1 - self.quota) * WINDOW / self.quota))

    def headers(self) -> dict[str, str]:
        left = max(0, math.floor(self.quota - self.level))
        until_empty = math.ceil(self.level * WINDOW / self.quota)
        headers = {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={WINDOW}',
            "RateLimit": f'"{self.policy}";r={left};t={until_empty}',
        }
        return headers if self.granted else {**headers, "Retry-After": str(self.retry_after)}


def spend(token: Token | None, address: str) -> Allowance:
    """Count one request of the token, or of the address where there is none."""
    if token is None:
        return _spend("address", address[:80], settings.API_ANONYMOUS_REQUESTS_PER_MINUTE)
    return _spend("token", str(token.pk), settings.API_REQUESTS_PER_MINUTE)


def _spend(policy: str, whose: str, quota: int) -> Allowance:
    values: dict[str, str | int] = {
        "key": f"{policy}:{whose}",
        "quota": quota,
        "window": WINDOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, values)
        level, granted = cursor.fetchone()
    return Allowance(policy, quota, level, granted)
