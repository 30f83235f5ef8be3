"""A catalogue of a million tracks: how it is made, loaded and searched. See `benchmarks.scale`."""
