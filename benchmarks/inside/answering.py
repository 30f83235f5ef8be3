"""The far end of `benchmarks.child`: answers which embedding a file has, a line a question.

The standard output is the pipe to the owner, so whatever a peer prints goes to the error stream.
The end of the input, which comes when the owner ends, however it ends, ends this process too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable

Describe = Callable[[str], Iterable[float]]


def answer(make: Callable[[], Describe]) -> None:
    """Answer until the input ends.

    Args:
        make: loads the peer; called with the first question, so that the answer can say why a
            peer does not load. What it makes turns the path of a WAV file into an embedding (d,).
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    describe: Describe | None = None
    for question in sys.stdin:
        try:
            describe = describe or make()
            reply = json.dumps({"embedding": [float(x) for x in describe(json.loads(question))]})
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic in Rust is no Exception
            reply = json.dumps({"refusal": f"{type(error).__name__}: {error}"})
        print(reply, file=answers, flush=True)
