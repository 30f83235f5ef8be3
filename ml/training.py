"""Train the VQ-VAE on log-mel frames and leave an artefact folder. TensorFlow; no Django.

No title, artist, genre or soundtrack enters here: only which frames belong to one track.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ml import transposition
from ml.artefact import write_manifest
from ml.excerpts import cut
from ml.export import export
from ml.features import FLOOR_DB, levelled, mfcc
from ml.fitting import (
    EXCERPT_FRAMES,
    Keeping,
    Progress,
    Scaling,
    Schedule,
    codebook_figures,
    fitted,
    scaled,
)
from ml.gaussian import fit
from ml.likeness import BLUR
from ml.settings import ModelSettings
from ml.space import Space, coordinates
from ml.vqvae import VQVAE

EMBEDDING_DIM = 128
REFERENCE = 256
SETTLE_ROWS = 60_000


def train(
    log_mels: Iterable[np.ndarray],
    folder: Path,
    *,
    name: str,
    settings: ModelSettings | None = None,
    schedule: Schedule | None = None,
    progress: Progress = lambda epoch, figures: None,
    checkpoints: Path | None = None,
) -> dict[str, list[float]]:
    """Train on the log-mel frames (T, n_mels) of each track and write the artefact.

    Args:
        log_mels: asked for one after the other; kept in half precision.
        folder: made if need be; receives the encoder, the decoder, `space.npz` and a manifest.
        name: of the version.
        progress: called after each epoch with its number from 1 and its figures.
        checkpoints: a folder to keep the last epoch in, and to go on from.

    Returns:
        The figures by epoch: losses, usage and perplexity of the codebooks.
    """
    settings, schedule = settings or ModelSettings(), schedule or Schedule()
    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    tracks = [levelled(log_mel).astype(np.float16) for log_mel in log_mels]
    began = time.monotonic()
    scaling = _statistics(tracks, settings.features.n_mfcc)
    keeping = Keeping(checkpoints, _training_digest(tracks, settings, schedule))
    model, history = fitted(tracks, scaling, settings, schedule, progress, keeping)
    generator = np.random.default_rng(schedule.seed)
    _settle(model, tracks, scaling, generator)
    folder.mkdir(parents=True, exist_ok=True)
    codes = [_codes(model, track, scaling) for track in tracks]
    space = _space(model, codes, scaling, _transpositions(model, tracks, scaling, generator))
    space.save(folder)
    export(model, folder)
    trained = {
        "tracks": len(tracks),
        "hours": round(sum(map(len, tracks)) * settings.features.frame_seconds / 3600, 2),
        "digest": _data_digest(tracks),
        **asdict(schedule),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "history": history,
        "codebook": codebook_figures(np.concatenate(codes), settings.codebook_size),
    }
    described = {
        "name": name,
        "config": "soundsite",
        "settings": settings.as_dict(),
        "embedding_dim": len(space.axes),
        "code_seconds": settings.code_seconds,
        "training": trained,
    }
    write_manifest(folder, described)
    return history


def _statistics(tracks: Sequence[np.ndarray], n_mfcc: int) -> Scaling:
    """Mean and spread (n_mfcc,) of the coefficients over all tracks."""
    sample = mfcc(np.concatenate([track[::16] for track in tracks]).astype(np.float32), n_mfcc)
    return sample.mean(axis=0), sample.std(axis=0) + 1e-3


def _codes(model: VQVAE, track: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Codes (T / stride, Q) of a whole track."""
    whole = len(track) // model.settings.stride * model.settings.stride
    return np.array(model.codes(scaled(track[:whole], scaling)[None]))[0]


def _settle(
    model: VQVAE,
    tracks: Sequence[np.ndarray],
    scaling: Scaling,
    generator: np.random.Generator,
) -> None:
    """Codebooks anew, by k-means over the finished encoder's latents of all tracks."""
    each = max(1, SETTLE_ROWS // len(tracks))
    sample = []
    for track in tracks:
        whole = len(track) // model.settings.stride * model.settings.stride
        latents = np.array(model.encoder(scaled(track[:whole], scaling)[None]))[0]
        sample.append(latents[generator.permutation(len(latents))[:each]])
    model.quantizer.start(np.concatenate(sample), generator)


def _transpositions(
    model: VQVAE,
    tracks: Sequence[np.ndarray],
    scaling: Scaling,
    generator: np.random.Generator,
) -> np.ndarray:
    """Linear maps of latents to other pitches, see `ml.transposition.maps`."""

    def latents_of(frames: np.ndarray) -> np.ndarray:
        found = scaled(np.maximum(frames, FLOOR_DB), scaling)
        quantised: np.ndarray = np.array(model.quantizer(model.encoder(found[None]))[0])[0]
        return quantised

    settings = model.settings
    excerpts = [cut(track, EXCERPT_FRAMES, generator).astype(np.float32) for track in tracks]
    return transposition.maps(excerpts, latents_of, settings.features)


def _space(
    model: VQVAE,
    codes: Sequence[np.ndarray],
    scaling: Scaling,
    transpositions: np.ndarray,
) -> Space:
    """Scaling, codebooks, reference sample and axes from the codes of the training tracks."""
    books = np.array(model.quantizer.codebooks)
    latents = [sum(book[c[:, q]] for q, book in enumerate(books)) for c in codes]
    std = np.concatenate(latents).std(axis=0) + 1e-3
    fitted = fit(latents, BLUR * np.square(std))
    points = coordinates(fitted, std)
    centre = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - centre, full_matrices=False)
    rows = min(EMBEDDING_DIM, len(axes))
    return Space(
        *scaling,
        codebooks=books,
        latent_std=std,
        reference_mean=fitted.mean[:REFERENCE],
        reference_covariance=fitted.covariance[:REFERENCE],
        transpositions=transpositions,
        axes=_padded(axes[:rows], EMBEDDING_DIM),
        axes_mean=centre,
    )


def _padded(axes: np.ndarray, rows: int) -> np.ndarray:
    """Axes of zeros below, where there are fewer tracks than dimensions."""
    return np.vstack([axes, np.zeros((rows - len(axes), axes.shape[1]))])


def _data_digest(tracks: Sequence[np.ndarray]) -> str:
    """One sha-256 over the frames of all tracks: says whether two trainings saw the same data."""
    total = hashlib.sha256()
    for track in tracks:
        total.update(np.ascontiguousarray(track).data)
    return total.hexdigest()


def _training_digest(
    tracks: Sequence[np.ndarray], settings: ModelSettings, schedule: Schedule
) -> str:
    """Tells whether a checkpoint belongs to this training."""
    told = json.dumps([settings.as_dict(), asdict(schedule)], sort_keys=True)
    return hashlib.sha256(f"{_data_digest(tracks)} {told}".encode()).hexdigest()
