"""Train the VQ-VAE on log-mel frames and leave an artefact folder. TensorFlow; no Django.

No title, artist, genre or soundtrack enters here: only which frames belong to one track.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ml import checkpoint, transposition
from ml.artefact import write_manifest
from ml.checkpoint import Checkpoint
from ml.excerpts import FLOOR_DB, cut, levelled, pairs
from ml.export import export
from ml.features import mfcc
from ml.gaussian import fit
from ml.likeness import BLUR
from ml.settings import ModelSettings
from ml.space import Space, coordinates
from ml.vqvae import VQVAE

EXCERPT_FRAMES = 512  # 11.9 s
BATCH = 24
EMBEDDING_DIM = 128
REFERENCE = 256
SETTLE_ROWS = 60_000
_LEARNING_RATE = 2e-3

Progress = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Schedule:
    """How long and from which seed."""

    epochs: int = 30
    steps: int = 10
    seed: int = 1


def train(
    log_mels: Sequence[np.ndarray],
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
    began = time.monotonic()
    tracks = [levelled(log_mel).astype(np.float16) for log_mel in log_mels]
    scaling = _statistics(tracks, settings.features.n_mfcc)
    keeping = _Keeping(checkpoints, _training_digest(tracks, settings, schedule))
    model, history = _fitted(tracks, scaling, settings, schedule, progress, keeping)
    generator = np.random.default_rng(schedule.seed)
    _settle(model, tracks, scaling, generator)
    folder.mkdir(parents=True, exist_ok=True)
    codes = [_codes(model, track, scaling) for track in tracks]
    space = _space(model, codes, scaling, _transpositions(model, tracks, scaling, generator))
    space.save(folder)
    export(model, folder)
    write_manifest(
        folder,
        {
            "name": name,
            "config": "soundsite",
            "settings": settings.as_dict(),
            "embedding_dim": len(space.axes),
            "code_seconds": settings.code_seconds,
            "training": {
                "tracks": len(tracks),
                "hours": round(sum(map(len, tracks)) * settings.features.frame_seconds / 3600, 2),
                "digest": _data_digest(tracks),
                "seed": schedule.seed,
                "epochs": schedule.epochs,
                "steps": schedule.steps,
                "minutes": round((time.monotonic() - began) / 60, 1),
                "history": history,
                "codebook": codebook_figures(np.concatenate(codes), settings.codebook_size),
            },
        },
    )
    return history


@dataclass(frozen=True)
class _Keeping:
    """Where checkpoints of which training are kept; nowhere without a folder."""

    folder: Path | None
    training: str

    def found(self) -> Checkpoint | None:
        return checkpoint.load(self.folder, self.training)

    def keep(self, model: VQVAE, epoch: int, logs: dict[str, float], generators: Any) -> None:
        """After an epoch: its figures go behind those of the epochs before it."""
        if self.folder is None:
            return
        before = self.found() if epoch > 1 else None
        history = dict(before.history) if before else {}
        for name, value in logs.items():
            history[name] = [*history.get(name, []), float(value)]
        optimizer = [np.array(variable) for variable in model.optimizer.variables]
        weights = model.get_weights()
        kept = Checkpoint(self.training, epoch, history, weights, optimizer, generators)
        kept.save(self.folder)


def _fitted(
    tracks: Sequence[np.ndarray],
    scaling: tuple[np.ndarray, np.ndarray],
    settings: ModelSettings,
    schedule: Schedule,
    progress: Progress,
    keeping: _Keeping,
) -> tuple[VQVAE, dict[str, list[float]]]:
    """The trained model and its figures by epoch."""
    # The excerpts are drawn in another thread: with one generator for both, no two trainings agree.
    drawing, reviving = np.random.default_rng(schedule.seed).spawn(2)
    excerpts = _Drawn(pairs(tracks, EXCERPT_FRAMES, BATCH, settings.features, drawing), drawing)
    batches = (_scaled(batch, scaling) for batch in excerpts)
    model = VQVAE(settings)
    model(next(batches)[:, 0, 0])
    steps = schedule.epochs * schedule.steps
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps, alpha=0.02)
    model.compile(optimizer=keras.optimizers.Adam(rate))
    codebooks = _Codebooks(batches, reviving, schedule.epochs, progress)
    first = excerpts.count
    before = keeping.found()
    if before:
        _restore(model, before)
        drawing.bit_generator.state = before.generators["drawing"]
        reviving.bit_generator.state = before.generators["reviving"]
        first -= before.epoch * schedule.steps
    # The drawing thread is ahead: what counts is the state after the batches of the epochs so far.
    codebooks.keep = lambda epoch, logs: keeping.keep(
        model,
        epoch,
        logs,
        {
            "drawing": excerpts.states.get(first + epoch * schedule.steps),
            "reviving": reviving.bit_generator.state,
        },
    )
    fitted = model.fit(
        _dataset(batches, settings),
        epochs=schedule.epochs,
        initial_epoch=before.epoch if before else 0,
        steps_per_epoch=schedule.steps,
        verbose=0,
        callbacks=[codebooks],
    )
    return model, _joined(before.history if before else {}, fitted.history)


def _joined(
    before: Mapping[str, list[float]], after: Mapping[str, list[float]]
) -> dict[str, list[float]]:
    """Figures by epoch, rounded: those of a checkpoint and those since."""
    return {
        name: [round(value, 5) for value in (*before.get(name, []), *after.get(name, []))]
        for name in (after or before)
    }


def _restore(model: VQVAE, kept: Checkpoint) -> None:
    """Weights and optimizer as they were after the checkpoint's last epoch."""
    model.projection.build((None, 2 * model.settings.latent_dim))
    model.set_weights(kept.weights)
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, kept.optimizer, strict=True):
        variable.assign(value)


class _Drawn:
    """Batches, with the state of their generator after each."""

    def __init__(self, batches: Iterator[np.ndarray], generator: np.random.Generator) -> None:
        self.batches, self.generator = batches, generator
        self.count = 0
        self.states: dict[int, Any] = {}

    def __iter__(self) -> Iterator[np.ndarray]:
        return self

    def __next__(self) -> np.ndarray:
        batch = next(self.batches)
        self.count += 1
        self.states[self.count] = self.generator.bit_generator.state
        return batch


def _dataset(batches: Iterator[np.ndarray], settings: ModelSettings) -> tf.data.Dataset:
    shape = (BATCH, 2, 2, EXCERPT_FRAMES, settings.features.n_mfcc)
    signature = tf.TensorSpec(shape, tf.float32)
    return tf.data.Dataset.from_generator(lambda: batches, output_signature=signature).prefetch(2)


class _Codebooks(keras.callbacks.Callback):
    """K-means start after the first epoch, restart of dead codes after each, and the figures."""

    def __init__(
        self,
        batches: Iterator[np.ndarray],
        generator: np.random.Generator,
        epochs: int,
        progress: Progress,
    ) -> None:
        super().__init__()
        settle = max(1, epochs // 5)
        self.sample = np.concatenate([next(batches)[:, :, 1] for _ in range(4)])
        self.sample = self.sample.reshape(-1, *self.sample.shape[2:])
        self.generator, self.progress, self.last_revival = generator, progress, epochs - settle
        self.keep: Progress = lambda epoch, figures: None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        latents = np.array(self.model.encoder(self.sample))
        flat = latents.reshape(-1, latents.shape[-1])
        if epoch == 0:
            self.model.quantizer.start(flat[::2], self.generator)
        elif epoch < self.last_revival:
            self.model.quantizer.revive(flat, self.generator)
        _, codes = self.model.quantizer(latents)
        size = self.model.settings.codebook_size
        figures = codebook_figures(np.array(codes).reshape(-1, codes.shape[-1]), size)
        logs = logs if logs is not None else {}
        logs["usage"] = float(np.mean(figures["usage"]))
        logs["perplexity"] = float(np.mean(figures["perplexity"]))
        self.keep(epoch + 1, logs)
        self.progress(epoch + 1, logs)


def codebook_figures(codes: np.ndarray, size: int) -> dict[str, list[float]]:
    """Share of codes in use and perplexity of each codebook, from codes (N, Q)."""
    usage, perplexity = [], []
    for column in codes.T:
        share = np.bincount(column, minlength=size) / len(column)
        used = share[share > 0]
        usage.append(round(len(used) / size, 4))
        perplexity.append(round(float(np.exp(-(used * np.log(used)).sum())), 1))
    return {"usage": usage, "perplexity": perplexity}


def _statistics(tracks: Sequence[np.ndarray], n_mfcc: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread (n_mfcc,) of the coefficients over all tracks."""
    sample = mfcc(np.concatenate([track[::16] for track in tracks]).astype(np.float32), n_mfcc)
    return sample.mean(axis=0), sample.std(axis=0) + 1e-3


def _scaled(frames: np.ndarray, scaling: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Levelled log-mel frames (..., n_mels) as the encoder's input (..., n_mfcc)."""
    coefficients = mfcc(frames.astype(np.float32), len(scaling[0]))
    scaled: np.ndarray = ((coefficients - scaling[0]) / scaling[1]).astype(np.float32)
    return scaled


def _codes(model: VQVAE, track: np.ndarray, scaling: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Codes (T / stride, Q) of a whole track."""
    whole = len(track) // model.settings.stride * model.settings.stride
    return np.array(model.codes(_scaled(track[:whole], scaling)[None]))[0]


def _settle(
    model: VQVAE,
    tracks: Sequence[np.ndarray],
    scaling: tuple[np.ndarray, np.ndarray],
    generator: np.random.Generator,
) -> None:
    """Codebooks anew, by k-means over the finished encoder's latents of all tracks."""
    each = max(1, SETTLE_ROWS // len(tracks))
    sample = []
    for track in tracks:
        whole = len(track) // model.settings.stride * model.settings.stride
        latents = np.array(model.encoder(_scaled(track[:whole], scaling)[None]))[0]
        sample.append(latents[generator.permutation(len(latents))[:each]])
    model.quantizer.start(np.concatenate(sample), generator)


def _transpositions(
    model: VQVAE,
    tracks: Sequence[np.ndarray],
    scaling: tuple[np.ndarray, np.ndarray],
    generator: np.random.Generator,
) -> np.ndarray:
    """Linear maps of latents to other pitches, see `ml.transposition.maps`."""

    def latents_of(frames: np.ndarray) -> np.ndarray:
        scaled = _scaled(np.maximum(frames, FLOOR_DB), scaling)
        quantised: np.ndarray = np.array(model.quantizer(model.encoder(scaled[None]))[0])[0]
        return quantised

    settings = model.settings
    excerpts = [cut(track, EXCERPT_FRAMES, generator).astype(np.float32) for track in tracks]
    return transposition.maps(excerpts, latents_of, settings.features)


def _space(
    model: VQVAE,
    codes: Sequence[np.ndarray],
    scaling: tuple[np.ndarray, np.ndarray],
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
        total.update(track.tobytes())
    return total.hexdigest()


def _training_digest(
    tracks: Sequence[np.ndarray], settings: ModelSettings, schedule: Schedule
) -> str:
    """Tells whether a checkpoint belongs to this training."""
    told = json.dumps([settings.as_dict(), asdict(schedule)], sort_keys=True)
    return hashlib.sha256(f"{_data_digest(tracks)} {told}".encode()).hexdigest()
