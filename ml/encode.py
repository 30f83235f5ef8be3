"""`python -m ml.encode FILE`: the codes, embedding and facts of one file, as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ml.audio import decode
from ml.errors import SoundError
from ml.model import Model
from ml.pretrained import DEFAULT


def main(arguments: list[str] | None = None) -> int:
    """Print what a model hears in a file; 1 with a code on standard error where it cannot."""
    parser = argparse.ArgumentParser(prog="python -m ml.encode", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT, help="artefact folder")
    options = parser.parse_args(arguments)
    try:
        model = Model.load(options.model)
        encoding = model.encode(model.features(decode(options.file)))
    except (SoundError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    answer = {
        "model": model.manifest["name"],
        "duration": encoding.duration,
        "code_seconds": encoding.code_seconds,
        "facts": encoding.facts,
        "codes": encoding.codes.tolist(),
        "embedding": [round(float(value), 6) for value in encoding.embedding],
    }
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
