"""Columns and indices that searches need: a tempo to filter by, words and letters to look for."""

import io
import json
import zipfile

import numpy as np
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import TrigramExtension
from django.contrib.postgres.search import SearchVector
from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Concat

A_BATCH = 500
SPACE = Value(" ")


def fill_tempo(apps, _schema_editor):
    """From the facts of the encodings that are there."""
    entries = apps.get_model("tracks", "IndexEntry").objects
    heard = entries.filter(encoding__isnull=False, embedding__isnull=False)
    found = []
    for entry in heard.only("pk", "encoding").iterator(chunk_size=A_BATCH):
        entry.tempo = tempo_of(bytes(entry.encoding))
        found.append(entry)
        if len(found) == A_BATCH:
            entries.bulk_update(found, ["tempo"])
            found = []
    entries.bulk_update(found, ["tempo"])


def tempo_of(encoding):
    """In bpm; None where the encoding does not tell it."""
    try:
        with np.load(io.BytesIO(encoding), allow_pickle=False) as archive:
            return json.loads(archive["meta"].tobytes())["facts"].get("tempo") or None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


class Migration(migrations.Migration):

    dependencies = [
        ("tracks", "0004_answers"),
    ]

    operations = [
        # Does nothing where the extension exists; any role that may create in the database may.
        TrigramExtension(),
        migrations.AddField(
            model_name="indexentry",
            name="tempo",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="track",
            index=GinIndex(
                SearchVector("title", "artist", "soundtrack", "genre", config="simple"),
                name="track_words",
            ),
        ),
        migrations.AddIndex(
            model_name="track",
            index=GinIndex(
                OpClass(
                    Concat("title", SPACE, "artist", SPACE, "soundtrack", SPACE, "genre"),
                    name="gin_trgm_ops",
                ),
                name="track_letters",
            ),
        ),
        migrations.RunPython(fill_tempo, migrations.RunPython.noop),
    ]
