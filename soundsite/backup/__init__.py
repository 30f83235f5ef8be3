"""Backup and restore: database, media and artefact folders as one consistent file.

A backup is a plain tar: `database/TABLE.copy.gz`, `media/NAME`, `artefacts/VERSION/FILE`, then
`manifest.json` with the sha-256 of every part, then `manifest.sha256`. See docs/operations.md.
"""
