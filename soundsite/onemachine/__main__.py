"""Makes the environment, then runs the asked command inside it.

python soundsite/onemachine (server | manage | test) [ARGUMENT ...]
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[0] = str(ROOT)

from soundsite.embedded.errors import StartError  # noqa: E402
from soundsite.onemachine import packages  # noqa: E402


def main(arguments: list[str]) -> int:
    command, *rest = arguments
    if Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        python = packages.ensure(ROOT, development=command == "test")
        # Without bytecode each of the site's processes would compile Django and Celery anew.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.execv(python, [str(python), str(Path(__file__).parent), *arguments])
    if command == "server":
        from soundsite.onemachine import server

        return server.main(ROOT, rest)
    if command == "manage":
        from soundsite.onemachine import manage

        return manage.main(ROOT, rest)
    from soundsite.onemachine import checks

    return checks.main(ROOT, rest)


if __name__ == "__main__":
    # Asked to end or left by its terminal, it stops what it started, as for Ctrl-C; which a
    # shell may have told it to ignore, by starting it in the background.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except StartError as error:
        sys.exit(f"{Path(sys.argv[1]).name}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
