"""A command that another process started ends with it. Standard library only."""

from __future__ import annotations

import os
import signal
import sys
import threading


def hold() -> None:
    """Ends this process, and its group if it leads one, once standard input is closed.

    The owner keeps the other end of that pipe open for as long as it lives, however it ends.
    """
    threading.Thread(target=_end_with_owner, daemon=True).start()


def _end_with_owner() -> None:
    os.read(sys.stdin.fileno(), 1)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
