"""What Prometheus is told: everything that alarms rest on, counted when it asks.

The database and the broker are asked, not this process: any web process gives the same answer,
but for `process_*`, which are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from statistics import quantiles

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily as Gauge
from prometheus_client.metrics_core import Metric

from matcher import figures
from soundsite import broker, dashboard
from tracks.index_figures import index_figures

LATELY = timedelta(hours=1)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """In Prometheus' text format, for whoever has METRICS_TOKEN; for anybody else not there."""
    said = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(
        said, f"Bearer {settings.METRICS_TOKEN}"
    ):
        raise Http404
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Site())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Site:
    """A collector of prometheus-client."""

    def describe(self) -> list[Metric]:
        """Nothing, or it would be collected once to find out."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What cannot be asked is left out, and its `soundsite_up` is 0."""
        up = _gauge("up", "Whether it answers.", "service")
        messages, workers = broker.messages(), broker.workers()
        up.add_metric(["broker"], float(messages is not None))
        yield _gauge("queue_messages", "Messages in the broker.", "queue", messages or {})
        yield _gauge("workers", "Workers that answer.", "queue", workers or {})
        try:
            yield from [*_queues(), *_uploads(), *_index()]
            up.add_metric(["database"], 1)
        except DatabaseError:
            up.add_metric(["database"], 0)
        yield up


def _gauge(name: str, text: str, label: str, values: Mapping[str, float] | None = None) -> Gauge:
    gauge = Gauge(f"soundsite_{name}", text, labels=[label])
    for key, value in (values or {}).items():
        gauge.add_metric([key], value)
    return gauge


def _queues() -> Iterator[Metric]:
    now = timezone.now()
    depth = Gauge("soundsite_queue_depth", "What waits.", labels=["queue", "kind"])
    ages = _gauge("queue_oldest_seconds", "How long the oldest of it has waited.", "queue")
    for queue in dashboard.queues(figures.waiting_uploads(), {}):
        oldest = queue["oldest"]
        ages.add_metric([queue["name"]], (now - oldest).total_seconds() if oldest else 0.0)
        for kind, count in queue["waits"]:
            depth.add_metric([queue["name"], kind], count)
    yield from (depth, ages)


def _uploads() -> Iterator[Metric]:
    now = timezone.now()
    lately = now - LATELY
    yield _gauge("uploads_1h", "Sent in within an hour.", "state", figures.by_state(lately))
    failed = figures.upload_failures_by_code(lately)
    yield _gauge("upload_failures_1h", "Failed within an hour.", "code", failed)
    longest = figures.longest_in_stage(now)
    yield _gauge("stage_age_seconds", "Longest of the jobs in hand.", "stage", longest)
    times = Gauge("soundsite_stage_seconds", "Of an hour's answers.", labels=["stage", "quantile"])
    for stage, seconds in figures.stage_seconds(lately).items():
        cuts = quantiles([*seconds, *seconds], n=20, method="inclusive")  # it wants two at least
        times.add_metric([stage, "0.5"], cuts[9])
        times.add_metric([stage, "0.95"], cuts[18])
    yield times


def _index() -> Iterator[Metric]:
    labels = ["version", "state"]
    model = Gauge("soundsite_model_info", "Live model versions.", labels=labels)
    coverage = _gauge("index_coverage_ratio", "Tracks that it can answer with.", "version")
    failed = _gauge("index_failed_tracks", "Tracks that it could not hear.", "version")
    for version in index_figures():
        model.add_metric([version.name, version.state], 1)
        coverage.add_metric([version.name], version.heard / max(version.tracks, 1))
        failed.add_metric([version.name], version.failed)
    yield from (model, coverage, failed)
