"""The charts of the administration's first page, as Chart.js takes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from matcher.figures import uploads_by_hour
from tracks.figures import indexed_by_hour

GREY = "#9ca3af"
# Told apart by lightness, too, for those who do not see green and red as two colours.
OUTCOMES = {
    "answered": ("Answered", "#22c55e"),
    "failed": ("Not answered", "#b91c1c"),
    "open": ("Waiting or under way", "#93c5fd"),
}


@dataclass(frozen=True)
class Chart:
    title: str
    data: str
    options: str
    total: int


def of_the_last_day(since: datetime, now: datetime) -> list[Chart]:
    """Uploads by outcome and tracks indexed, hour by hour."""
    hours = list(_hours(since, now))
    uploads = dict(uploads_by_hour(hours[0]))
    indexed = indexed_by_hour(hours[0])
    outcomes = [
        _bars(label, colour, [uploads.get(hour, {}).get(name, 0) for hour in hours])
        for name, (label, colour) in OUTCOMES.items()
    ]
    tracks = _bars("Tracks", "var(--color-primary-500)", [indexed.get(hour, 0) for hour in hours])
    return [
        _chart("Uploads of the last 24 hours", hours, outcomes, legend=True),
        _chart("Tracks indexed in the last 24 hours", hours, [tracks], legend=False),
    ]


def _hours(since: datetime, now: datetime) -> Iterator[datetime]:
    """The beginnings of the hours, the one of `since` excluded and the current one included."""
    hour = timezone.localtime(since).replace(minute=0, second=0, microsecond=0)
    while (hour := hour + timedelta(hours=1)) <= now:
        yield hour


def _bars(label: str, colour: str, values: list[int]) -> dict[str, Any]:
    return {"label": label, "data": values, "backgroundColor": colour, "borderRadius": 2}


def _chart(
    title: str, hours: list[datetime], datasets: list[dict[str, Any]], *, legend: bool
) -> Chart:
    data = {"labels": [f"{hour:%H}:00" for hour in hours], "datasets": datasets}
    total = sum(sum(dataset["data"]) for dataset in datasets)
    return Chart(title, json.dumps(data), json.dumps(_options(legend)), total)


def _options(legend: bool) -> dict[str, Any]:
    """Stacked bars, counts as whole numbers, nothing that moves."""
    ticks = {"color": GREY}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "plugins": {
            "legend": {
                "display": legend,
                "position": "bottom",
                "labels": {"color": GREY, "boxWidth": 10, "boxHeight": 10},
            }
        },
        "scales": {
            "x": {
                "stacked": True,
                "grid": {"display": False},
                "ticks": {**ticks, "maxTicksLimit": 8, "maxRotation": 0},
            },
            "y": {
                "stacked": True,
                "beginAtZero": True,
                "suggestedMax": 4,
                "border": {"display": False},
                "grid": {},
                "ticks": {**ticks, "precision": 0, "maxTicksLimit": 5},
            },
        },
    }
