"""What a process that meets hostile bytes gives up for good. Standard library only; Linux.

Memory, CPU, file sizes, open files and new processes are bounded by rlimits everywhere. Where the
kernel has them, Landlock takes away all files and TCP that are not open yet, seccomp every system
call but those that decoding makes (so there is no network, no other program, no signal to another
process), and root becomes nobody.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import pwd
import resource
import signal
import struct
from dataclasses import dataclass
from typing import Any

MEASURES = ("user", "landlock", "seccomp")
_OPEN_FILES = 16
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_NOBODY = 65534

# Linux, include/uapi/linux/landlock.h: the numbers are the same on every architecture.
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT, _LANDLOCK_VERSION = 444, 446, 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # how many, by the version that has them first

# Linux, arch/x86/entry/syscalls/syscall_64.tbl: no open, no socket, no clone, no kill.
_X86_64 = 0xC000003E
_ALLOWED = {
    **{"read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10},
    **{"munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15},
    **{"pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25},
    **{"madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "fcntl": 72, "ftruncate": 77},
    **{"gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219},
    **{"clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231, "newfstatat": 262},
    **{"getrandom": 318, "membarrier": 324, "rseq": 334},
}
# Linux, include/uapi/linux/{bpf_common,filter,seccomp}.h
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_SECCOMP_MODE_FILTER = 2


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    Attributes:
        memory: bytes of address space.
        cpu_seconds: of all that the process computes.
        wall_seconds: on the clock; held by whoever waits for the process.
        written: bytes of the largest file that it may write.
    """

    memory: int
    cpu_seconds: int
    wall_seconds: float
    written: int


def confine(limits: Limits) -> list[str]:
    """Confine this process.

    Returns:
        Which of `MEASURES` hold; the limits always do.
    """
    soft, hard = limits.cpu_seconds, limits.cpu_seconds + 1  # the soft one says why it kills
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.written),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    held = {"user": _leave_root()}
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a change of user clears it
    held |= {"landlock": _landlock(libc)}
    held |= {"seccomp": _seccomp(libc)}  # last: it refuses the calls of the others
    return [name for name, holds in held.items() if holds]


def _leave_root() -> bool:
    """Whether this process is not root's, or no longer."""
    if os.geteuid() != 0:
        return True
    try:
        account = pwd.getpwnam("nobody")
        user, group = account.pw_uid, account.pw_gid
    except KeyError:
        user = group = _NOBODY
    try:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except OSError:  # root of a container, without the capability
        return False
    return True


def _landlock(libc: Any) -> bool:
    """Without a rule, what a ruleset handles is denied."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    rights = max(count for since, count in _FILE_RIGHTS.items() if since <= version)
    handled = struct.pack("Q", (1 << rights) - 1)
    handled += struct.pack("Q", 0b11) if version >= 4 else b""  # TCP: bind, connect
    handled += struct.pack("Q", 0b11) if version >= 6 else b""  # abstract sockets, signals
    ruleset = libc.syscall(_LANDLOCK_CREATE, handled, len(handled), 0)
    if ruleset < 0:
        return False
    done: int = libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return done == 0


def _seccomp(libc: Any) -> bool:
    if platform.machine() != "x86_64":
        return False
    numbers = sorted(_ALLOWED.values())
    program = [
        (_LOAD, 0, 0, 4),  # seccomp_data.arch
        (_JUMP_EQUAL, 0, len(numbers) + 1, _X86_64),
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        *((_JUMP_EQUAL, len(numbers) - place, 0, nr) for place, nr in enumerate(numbers)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    kept = ctypes.create_string_buffer(code, len(code))
    filtered = struct.pack("HxxxxxxP", len(program), ctypes.addressof(kept))
    done: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filtered, 0, 0)
    return done == 0
