"""Measures a model version on the catalogue for a job, in a child process. Worker only."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from tracks import artefacts, children
from tracks.media import local_path
from tracks.models import Job, ModelVersion, Track
from tracks.outage import StoreAwayError
from tracks.services import jobs
from tracks.services.versions import keep_evaluation

logger = logging.getLogger(__name__)

Show = Callable[[Mapping[str, Any]], None]


def evaluate_next() -> bool:
    """Claims the oldest waiting evaluation and works on it; False if none waits."""
    job = jobs.claim(Job.Kind.EVALUATE)
    if job is not None:
        evaluate(job)
    return job is not None


def evaluate(job: Job, show: Show = lambda progress: None) -> bool:
    """Ends a claimed job with the version's report; False where there is none."""
    folder = children.work_folder(job.pk)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report = _measured(job, folder, show)
    except children.NotOursError:
        return False
    except (children.ChildError, ModelVersion.DoesNotExist) as error:
        jobs.fail(job, "child-failed", str(error))
        return False
    except StoreAwayError as error:
        logger.warning("Job %s was left to the sweep: %s", job.pk, error)
        return False
    except Exception as error:
        logger.exception("Job %s failed", job.pk)
        jobs.fail(job, "internal", type(error).__name__)
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return keep_evaluation(job, report)


def _measured(job: Job, folder: Path, show: Show) -> dict[str, Any]:
    version = ModelVersion.objects.get(pk=job.options["version"])
    report = folder / "report.json"

    def told(line: Mapping[str, Any]) -> bool:
        progress = {**job.progress, **line}
        show(progress)
        return jobs.tell(job, progress)

    with ExitStack() as open_files:
        tracks = list(Track.objects.shown().order_by("pk"))
        _lay_out(tracks, folder / "music", open_files)
        arguments = [str(folder / "music"), "--model", str(artefacts.folder_of(version))]
        arguments += ["--baselines", "--proxies", "1,3", "--json", str(report)]
        arguments += ["--cache", str(Path(settings.SOUNDSITE_DATA) / "evaluation")]
        children.follow(job, "ml.evaluate", arguments, told)
    return condensed(json.loads(report.read_text()))


def _lay_out(tracks: Iterable[Track], music: Path, open_files: ExitStack) -> None:
    """Links by soundtrack; a track without one is only there to be mistaken for others."""
    folders: dict[str, Path] = {}
    for track in tracks:
        soundtrack = track.soundtrack or f"Track {track.pk}"
        name = soundtrack.replace("/", "-").replace("\0", "").strip(". ")[:60] or "-"
        folder = folders.setdefault(soundtrack, music / f"{name} ({len(folders) + 1})")
        folder.mkdir(parents=True, exist_ok=True)
        path = open_files.enter_context(local_path(track.audio))
        (folder / f"{track.pk}{path.suffix}").symlink_to(path.resolve())


def condensed(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a report: its figures, and by track whether its first answer was right."""
    ours = next(iter(report["systems"].values()))
    tracks = report["tracks"]
    seen = sorted(f"{track['sha256']} {track['soundtrack']}" for track in tracks)
    kept = ("proxy 1", "proxy 3")
    return {
        "measured_at": timezone.now().isoformat(),
        "digest": hashlib.sha256("\n".join(seen).encode()).hexdigest(),
        "tracks": len(tracks),
        "soundtracks": len({track["soundtrack"] for track in tracks}),
        "failures": report["failures"],
        "systems": {
            name: {proxy: row[proxy] for proxy in kept if proxy in row}
            for name, row in report["systems"].items()
        },
        "differences": report["differences"],
        "codebooks": report["codebooks"],
        "hits": {
            track["sha256"]: [track["soundtrack"], hit]
            for track, hit in zip(tracks, ours["hits"], strict=True)
        },
    }
