"""Media on an S3-compatible store, as Django's storage; chosen by the settings alone.

What the store or the way to it does wrong comes out as OSError, as from a disk: FileNotFoundError,
ENOSPC where it is full, and StoreAwayError for all that may mend itself.
"""

from __future__ import annotations

import errno
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from django.core.files import File
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

from tracks.outage import StoreAwayError

# What S3, Ceph and MinIO say, beside the status 507, when there is no more room.
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity"}
_IN_MEMORY = 4 * 1024 * 1024
_BLOCK = 256 * 1024  # is asked for at once when a file is read in parts
_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 3},
    # Checksums beyond those of the signature are Amazon's alone; other stores refuse them.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class S3Media(S3Storage):
    """django-storages' S3, read in ranges instead of whole, and with links for players.

    Options, beside those of S3Storage:
        public_endpoint: origin of the store as browsers reach it.
    """

    def get_default_settings(self) -> dict[str, Any]:
        ours = {
            "client_config": _CONFIG,
            "transfer_config": TransferConfig(use_threads=False),
            "file_overwrite": False,
            "public_endpoint": None,
        }
        return {**super().get_default_settings(), **ours}

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        key = self._normalize_name(name)
        remote = _Remote(self.connection.meta.client, self.bucket_name, key)
        return File(io.BufferedReader(remote, _BLOCK), name=name)

    def _save(self, name: str, content: File[Any]) -> str:
        # Read once from end to end, for a file may count its bytes on the way; boto goes back.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
            for chunk in content.chunks():
                copy.write(chunk)
            with _os_errors(name):
                return str(super()._save(name, File(copy, name=name)))

    def download(self, name: str, target: Any) -> None:
        """Writes the whole file to an open one."""
        with _os_errors(name):
            self.connection.meta.client.download_fileobj(
                self.bucket_name, self._normalize_name(name), target, Config=self.transfer_config
            )

    def link(self, name: str, filename: str, content_type: str, *, attached: bool) -> str:
        """An address where whoever has it can read the file for `querystring_expire` seconds."""
        asked = {
            "Bucket": self.bucket_name,
            "Key": self._normalize_name(name),
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition_header(attached, filename)
            or "inline",
            "ResponseCacheControl": "private, max-age=3600",
        }
        return str(
            self._public.generate_presigned_url(
                "get_object", Params=asked, ExpiresIn=self.querystring_expire
            )
        )

    @cached_property
    def _public(self) -> Any:
        return self._create_session().client(
            "s3",
            region_name=self.region_name,
            endpoint_url=self.public_endpoint or self.endpoint_url,
            config=self.client_config,
        )

    def exists(self, name: str) -> bool:
        with _os_errors(name):
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        with _os_errors(name):
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _os_errors(path):
            folders, names = super().listdir(path)
        return folders, names

    def size(self, name: str) -> int:
        with _os_errors(name):
            return int(super().size(name))

    def get_modified_time(self, name: str) -> Any:
        with _os_errors(name):
            return super().get_modified_time(name)


class _Remote(io.RawIOBase):
    """An object of the store; each read asks for that range, so a buffer belongs around it.

    Raises, as all of it does: FileNotFoundError, StoreAwayError.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._object, self._place = client, {"Bucket": bucket, "Key": key}, 0
        with _os_errors(key):
            self._size: int = client.head_object(**self._object)["ContentLength"]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = start + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        stop = min(self._place + len(buffer), self._size)
        if stop <= self._place:
            return 0
        wanted = f"bytes={self._place}-{stop - 1}"
        with _os_errors(self._object["Key"]):
            block = self._client.get_object(**self._object, Range=wanted)["Body"].read()
        buffer[: len(block)] = block
        self._place += len(block)
        return len(block)


@contextmanager
def _os_errors(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _os_error(error, name) from error
    except ParamValidationError as error:  # nothing can have that name, an empty one for example
        raise FileNotFoundError(errno.ENOENT, "not in the store", name) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StoreAwayError(errno.EIO, str(error), name) from error


def _os_error(error: ClientError, name: str) -> OSError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == "NoSuchKey" or (status == 404 and code != "NoSuchBucket"):
        return FileNotFoundError(errno.ENOENT, "not in the store", name)
    if code in _FULL or status == 507:
        return OSError(errno.ENOSPC, f"the store is full ({code})", name)
    return StoreAwayError(errno.EIO, f"the store answered {status} ({code})", name)
