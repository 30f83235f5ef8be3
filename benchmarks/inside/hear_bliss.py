"""bliss-audio hears a song: tempo, timbre, loudness and chroma of the whole of it.

20 numbers up to 0.1.11, 23 from 0.2.0 on, each between -1 and 1.
"""

from __future__ import annotations

from benchmarks.inside.answering import Describe, answer


def load() -> Describe:
    """The peer's one call; a panic where it cannot read a file, or where there is too little."""
    from bliss_audio import Song

    return lambda path: Song(path).analysis


if __name__ == "__main__":
    answer(load)
