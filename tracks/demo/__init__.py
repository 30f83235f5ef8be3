"""The demo catalogue: real soundtracks from Debian packages, or pieces of our own synthesiser."""
