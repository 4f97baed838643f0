"""Accesses S3 without Spark: objects of a bucket, and errors of the store, its keys and its bucket.

The store and the keys of the lake are read from the environment, as in every AWS program: AWS_ENDPOINT_URL_S3,
AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, else the default chain of the AWS SDK.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldsmith.engine.s3_streams import Body, ObjectParts
from goldsmith.errors import GoldsmithError, NotReady, Where

_SETTINGS = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_CA_BUNDLE",
)
_MISSING = ("404", "NoSuchKey", "NotFound")
_REFUSED = (
    "403",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
)


@dataclass(frozen=True)
class Store:
    """A store and the keys for it. None: as in the environment."""

    endpoint: str | None = None
    region: str | None = None
    key_id: str | None = None
    secret: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The store's address for messages."""
        return self.endpoint or endpoint_name()


@dataclass(frozen=True)
class Bucket:
    """A bucket and its client. store: its address for messages. All methods raise the errors of `_translated`."""

    name: str
    client: Any
    store: str

    @classmethod
    def of(cls, place: str, *, patient: bool = True, store: Store | None = None) -> Bucket:
        """The bucket of `s3a://bucket/folder`. patient: wait up to half a minute for a store that does not respond.

        store: by default that of the environment.

        Raises NotReady GS903 if boto3 is not installed, GS411 if the environment has only a part of the keys.
        """
        name = place.partition("://")[2].partition("/")[0]
        chosen = store or Store()
        with _translated(name, chosen.name):
            return cls(name, _client(chosen, patient), chosen.name)

    def listed(self, prefix: str, *, after: str = "") -> Iterator[dict[str, Any]]:
        """Key, Size, LastModified and ETag of the objects below a prefix, without folder markers.

        after: only keys that follow this text.
        """
        with _translated(self.name, self.store):
            paginator = self.client.get_paginator("list_objects_v2")
            pages = paginator.paginate(Bucket=self.name, Prefix=prefix, StartAfter=after)
            for page in pages:
                yield from (item for item in page.get("Contents", ()) if not item["Key"].endswith("/"))

    def holds(self, prefix: str) -> bool:
        """Whether an object's key begins with the prefix."""
        with _translated(self.name, self.store):
            page = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)
        return bool(page.get("Contents"))

    def head(self, key: str) -> dict[str, Any] | None:
        """ContentLength, LastModified and ETag of an object; None if it does not exist."""
        from botocore.exceptions import ClientError

        with _translated(self.name, self.store):
            try:
                found: dict[str, Any] = self.client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return None
                raise
        return found

    def body(self, key: str, *, part: str | None = None) -> Body:
        """A stream of an object's bytes. part: which of them, as HTTP spells it: `0-99`, or `-100` for the last ones.

        Raises FileNotFoundError too.
        """
        from botocore.exceptions import ClientError

        with _translated(self.name, self.store):
            try:
                given = {"Range": f"bytes={part}"} if part is not None else {}
                return Body(self.client.get_object(Bucket=self.name, Key=key, **given)["Body"])
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key) from None
                raise

    def parts(self, key: str) -> ObjectParts:
        """An object whose parts are requested when they are read. Raises FileNotFoundError too."""
        state = self.head(key)
        if state is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key)
        return ObjectParts(lambda part: self.body(key, part=part).readall(), state["ContentLength"])

    def download(self, key: str, etag: str, file: Path) -> bool:
        """Writes an object to a file of this machine; False if it no longer has this ETag."""
        from botocore.exceptions import ClientError

        with _translated(self.name, self.store), file.open("wb") as target:
            try:
                body = self.client.get_object(Bucket=self.name, Key=key, IfMatch=etag)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] in (*_MISSING, "412", "PreconditionFailed"):
                    return False
                raise
            shutil.copyfileobj(body, target, 1 << 20)
        return True

    def put(self, key: str, content: bytes) -> None:
        with _translated(self.name, self.store):
            self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def upload(self, key: str, file: Path) -> None:
        """Uploads a file of this machine, in parts if it is large."""
        # Not `upload_file`, which hides the store's error in one of its own.
        with _translated(self.name, self.store), file.open("rb") as stream:
            self.client.upload_fileobj(stream, self.name, key)

    def delete(self, key: str) -> None:
        """Deletes an object; nothing happens if it does not exist."""
        with _translated(self.name, self.store):
            self.client.delete_object(Bucket=self.name, Key=key)


def check_reachable(places: Collection[str]) -> None:
    """Checks access to each `s3a://` path by a request for one key below it.

    A failure is detected in seconds; Spark would retry for minutes. Raises NotReady: GS410 no response, GS411 access
    denied, GS412 no such bucket, GS413 clock skew.
    """
    for place in dict.fromkeys(place for place in places if place.startswith("s3a://")):
        bucket = Bucket.of(place, patient=False)
        bucket.holds(f"{place.partition('://')[2].partition('/')[2]}/".lstrip("/"))


def _client(store: Store, patient: bool) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise NotReady(
            "GS903",
            "S3 needs boto3, which is not installed.",
            hint="Install it: `pip install 'goldsmith[s3]'`.",
        ) from None
    endpoint = store.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or None
    config = Config(
        connect_timeout=5,
        read_timeout=60 if patient else 10,
        max_pool_connections=32,
        retries={"mode": "standard", "total_max_attempts": 8 if patient else 1},
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    # A separate session: boto3's default session is not safe if several threads create clients.
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=store.region or _region(),
        aws_access_key_id=store.key_id,
        aws_secret_access_key=store.secret,
        config=config,
    )


@contextmanager
def _translated(bucket: str, store: str) -> Iterator[None]:
    """Translates exceptions of the AWS SDK to GoldsmithErrors."""
    try:
        import botocore.exceptions as failures
    except ImportError:
        yield
        return
    try:
        yield
    except failures.ClientError as error:
        raise _of_response(error.response, bucket, store) from error
    except (
        failures.NoCredentialsError,
        failures.CredentialRetrievalError,
        failures.PartialCredentialsError,
    ) as error:
        raise access_denied(bucket, f"no keys: {error}", store) from error
    except (failures.ConnectTimeoutError, failures.ReadTimeoutError) as error:
        raise unreachable_store("it does not respond in time", store) from error
    except failures.EndpointConnectionError as error:
        raise unreachable_store("the connection is refused, or its name cannot be resolved", store) from error
    except failures.BotoCoreError as error:
        raise unreachable_store(str(error), store) from error


def _of_response(response: dict[str, Any], bucket: str, store: str) -> GoldsmithError:
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    if code == "RequestTimeTooSkewed":
        return clock_skew(store)
    if code == "NoSuchBucket":
        return missing_bucket(bucket, store)
    if code in _REFUSED:
        return access_denied(bucket, code if code != "403" else "AccessDenied", store)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return unreachable_store(f"it responded {status} {code}: {message}", store)


def delta_rs_options(place: str) -> dict[str, str] | None:
    """The settings by which delta-rs reaches the environment's store; None for a path on a disk."""
    if not place.startswith("s3"):
        return None
    import boto3

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or ""
    options = {"AWS_REGION": _region(), "AWS_ALLOW_HTTP": str(endpoint.startswith("http:")).lower()}
    if endpoint:
        options |= {"AWS_ENDPOINT_URL": endpoint, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
    keys = boto3.session.Session().get_credentials()
    if keys is not None:
        frozen = keys.get_frozen_credentials()
        options |= {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
        options |= {"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {}
    return options


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def environment() -> tuple[str | None, ...]:
    """The environment's settings of the store and its keys."""
    return tuple(os.environ.get(name) for name in _SETTINGS)


def endpoint_name() -> str:
    """The address of the environment's store for messages."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or "AWS"


def unreachable_store(reason: str, store: str | None = None) -> NotReady:
    return NotReady(
        "GS410",
        f"The object store at {store or endpoint_name()} cannot be reached: {reason.rstrip('.')}.",
        hint="Check that it is running, and check AWS_ENDPOINT_URL_S3 (its URL; unset for AWS) and AWS_REGION.",
        retryable=True,
    )


def access_denied(bucket: str, reason: str, store: str | None = None) -> NotReady:
    return NotReady(
        "GS411",
        f"The object store at {store or endpoint_name()} denies access to the bucket `{bucket}` ({reason}).",
        where=Where(file=f"s3a://{bucket}"),
        hint="Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and the permissions of these keys in the store.",
    )


def missing_bucket(bucket: str, store: str | None = None) -> NotReady:
    return NotReady(
        "GS412",
        f"The object store at {store or endpoint_name()} has no bucket `{bucket}`.",
        where=Where(file=f"s3a://{bucket}"),
        hint="Create it, or name another bucket in the profile's `landing` and `warehouse`.",
    )


def clock_skew(store: str | None = None) -> NotReady:
    return NotReady(
        "GS413",
        f"The clocks of this machine and of the object store at {store or endpoint_name()} are more than 15 minutes apart.",
        hint="Synchronize the clocks with NTP: the store rejects requests with a wrong time.",
    )
