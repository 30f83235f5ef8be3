"""Runs a command that dies with its owner.

    python child.py [--user NAME] [--signal NAME] [--owner PID] -- COMMAND [ARGUMENT ...]

The kernel sends the signal to the command when the process that started it ends, however it
ends (PR_SET_PDEATHSIG); so a SIGKILL of the owner leaves nothing behind. Linux only; elsewhere
the command is run without that promise. Run as a file: it must not need the project on its path.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_owner(signum: int, owner: int | None = None) -> None:
    """Asks the kernel for `signum` at the end of the parent.

    Ends at once if the parent is no longer `owner`: it died before it could be asked about.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if owner is not None and os.getppid() != owner:
        sys.exit(1)


def become(account: pwd.struct_passwd) -> None:
    """Gives up root for good: groups, group, user."""
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def command(
    arguments: list[str],
    *,
    user: str | None = None,
    on_orphan: str = "KILL",
    owner: int | None = None,
) -> list[str]:
    """The command line that runs `arguments` by way of this file.

    `owner` is the process that will start it, where that is known beforehand.
    """
    line = [sys.executable, "-I", __file__, "--signal", on_orphan]
    line += ["--user", user] if user else []
    line += ["--owner", str(owner)] if owner else []
    return [*line, "--", *arguments]


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a command that dies with its owner.")
    parser.add_argument("--user")
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--owner", type=int)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.user:
        become(pwd.getpwnam(options.user))
    # After the change of user, which clears it.
    die_with_owner(signal.Signals[f"SIG{options.signal}"], options.owner)
    os.execvp(options.command[0], options.command)


if __name__ == "__main__":
    main()
