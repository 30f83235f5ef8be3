"""Processes beside this one, each with one thread for its linear algebra."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

PROCESSES = min(4, len(os.sched_getaffinity(0)))


def pool(initializer: Callable[..., None] | None = None, *arguments: Any) -> ProcessPoolExecutor:
    """A pool whose processes start afresh and end with this one.

    Nothing that is loaded here (TensorFlow, LiteRT, BLAS threads) survives a fork well.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # read by the new processes when they import NumPy
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        PROCESSES, context, initializer=_begin, initargs=(initializer, *arguments)
    )


def _begin(initializer: Callable[..., None] | None, *arguments: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer:
        initializer(*arguments)


def _end_with_parent() -> None:
    """Leave no process behind when the command is killed: they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
