"""A store that speaks S3, for tests: moto's server, asked over HTTP on 127.0.0.1."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "media"
NOWHERE = "http://127.0.0.1:1"  # where nothing listens


@dataclass(frozen=True)
class Store:
    """A running store with an empty bucket."""

    url: str
    server: ThreadedMotoServer

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="somebody",
            aws_secret_access_key="their-secret",
        )

    def empty(self) -> None:
        for name in self.names():
            self.client.delete_object(Bucket=BUCKET, Key=name)

    def names(self) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=BUCKET)
        return [entry["Key"] for entry in listed.get("Contents", ())]

    def environment(self) -> dict[str, str]:
        """What the site's processes are told."""
        return {
            "MEDIA_S3_BUCKET": BUCKET,
            "MEDIA_S3_ENDPOINT": self.url,
            "MEDIA_S3_KEY_ID": "somebody",
            "MEDIA_S3_SECRET": "their-secret",
        }

    def storages(self, settings: Any, **options: Any) -> dict[str, Any]:
        """Django's setting of that name."""
        told = {
            "bucket_name": BUCKET,
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "access_key": "somebody",
            "secret_key": "their-secret",
            **options,
        }
        media = {"BACKEND": "tracks.stores.S3Media", "OPTIONS": told}
        return {**settings.STORAGES, "default": media}


@contextmanager
def running_store() -> Iterator[Store]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        store = Store("http://{}:{}".format(*server.get_host_and_port()), server)
        store.client.create_bucket(Bucket=BUCKET)
        yield store
    finally:
        server.stop()
