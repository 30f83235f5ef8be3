"""The table of the cache that all web processes share (settings.CACHES)."""

from django.core.management import call_command
from django.db import migrations


def make(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("api", "0001_api")]

    operations = [
        migrations.RunPython(make, migrations.RunPython.noop, elidable=False),
    ]
