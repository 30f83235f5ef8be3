"""Celery's side of the catalogue. Ids only; heavy modules are imported inside the tasks."""

from __future__ import annotations

from celery import shared_task

from tracks import nudge, selectors
from tracks.services import duplicates, imports, index, jobs, mapping, reindex

# Seconds. A limit of None would be that of the settings, which is made for matches.
LONG = 7 * 24 * 3600


@shared_task
def index_entry(entry_id: int) -> None:
    """Indexes the oldest waiting entry, which need not be the one that the message names.

    Sends the next message while entries wait, so that lost ones do not slow a bulk index.
    """
    from tracks.indexing import index_next

    if index_next():
        waiting = selectors.waiting_entries().values_list("pk", flat=True).first()
        if waiting is not None:
            nudge.send(index.INDEX_TASK, waiting)
        else:
            reindex.finish_done()


@shared_task
def calibrate(model_version_id: int) -> None:
    """Measures the version's nearest distances anew, unless that was done in the meantime."""
    from tracks.calibration import calibrate as measure

    version = selectors.uncalibrated_versions().filter(pk=model_version_id).first()
    if version is not None:
        measure(version)


@shared_task
def import_step(job_id: int) -> None:
    """Some seconds of the oldest import that waits, which need not be the one of the message."""
    from tracks.importing import import_next

    import_next()


@shared_task
def find_duplicates(model_version_id: int) -> None:
    """Compares tracks that were indexed lately with the others, for some seconds at a time.

    Sends the next message while there are more; indexing itself goes first.
    """
    from tracks.duplicates import compare_some

    version = selectors.active_version()
    if version is not None and version.pk == model_version_id and compare_some(version):
        duplicates.sweep()


@shared_task
def lay_out(model_version_id: int) -> None:
    """Finds the places of the version's tracks on the map, unless that was done meanwhile."""
    from tracks.mapping import lay_out as find_places

    version = selectors.unmapped_versions().filter(pk=model_version_id).first()
    if version is not None:
        find_places(version)


@shared_task
def sweep_index() -> None:
    """Revives silent entries and jobs, queues what is missing, nudges what waits."""
    from tracks.training import clean_up

    index.sweep()
    jobs.sweep()
    reindex.finish_done()
    imports.sweep()
    clean_up()
    duplicates.sweep()
    mapping.sweep()


# Longer than the broker's visibility timeout: acknowledged early, revived by the sweep.
@shared_task(acks_late=False, soft_time_limit=LONG, time_limit=LONG + 60)
def train_version(job_id: int) -> None:
    """Trains for the oldest waiting job, which need not be the one that the message names."""
    from tracks.training import train_next

    train_next()


@shared_task(acks_late=False, soft_time_limit=LONG, time_limit=LONG + 60)
def evaluate_version(job_id: int) -> None:
    """Measures for the oldest waiting job, which need not be the one that the message names."""
    from tracks.evaluating import evaluate_next

    evaluate_next()
