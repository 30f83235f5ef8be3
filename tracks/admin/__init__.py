"""The administration of the catalogue, its index, the model versions and their jobs."""

from tracks.admin import index, jobs, pairs, tracks, versions

__all__ = ["index", "jobs", "pairs", "tracks", "versions"]
