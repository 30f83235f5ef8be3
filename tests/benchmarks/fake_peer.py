"""A peer of a few lines, run by the tests in a process of its own.

It hears the loudness and the brightness of a file; a path that is a word is an order.
"""

from __future__ import annotations

import os
import signal

import numpy as np
import soundfile

from benchmarks.inside.answering import Describe, answer


class Panic(BaseException):
    """What a panic in Rust looks like from Python."""


def load() -> Describe:
    print("a peer that greets")
    return describe


def describe(path: str) -> list[float]:
    if path == "refuse":
        raise ValueError("not this one")
    if path == "panic":
        raise Panic("nor this one")
    if path == "die":
        os.kill(os.getpid(), signal.SIGILL)
    if path == "hang":
        signal.pause()
    if path == "process":
        return [os.getpid()]
    return hear(path)


def hear(path: str) -> list[float]:
    samples, _ = soundfile.read(path, dtype="float32")
    if np.abs(samples).max() > 1.5:
        raise ValueError("too loud")
    loudness = np.sqrt(np.mean(samples**2))
    brightness = np.mean(np.abs(np.diff(samples)))
    return [float(loudness), float(brightness), float(brightness / (loudness + 1e-9))]


if __name__ == "__main__":
    answer(load)
