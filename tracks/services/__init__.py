"""Writes: the catalogue, the index, the model versions. Reads are in `tracks.selectors`."""
