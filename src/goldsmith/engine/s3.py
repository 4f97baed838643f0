"""S3 without Spark: one bucket's objects, and what is wrong with a store, its keys or its bucket.

The store and its keys come from the environment, as for every AWS program: AWS_ENDPOINT_URL_S3, AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, else the AWS SDK's own chain.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from goldsmith.errors import GoldsmithError, NotReady, Where

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
class Bucket:
    """A bucket and the client that reaches it. Every method raises what `_told` makes of a failure."""

    name: str
    client: Any

    @classmethod
    def of(cls, place: str, *, patient: bool = True) -> Bucket:
        """The bucket of `s3a://bucket/folder`. patient: whether a store that is away is waited for, half a minute.

        Raises NotReady GS903 if boto3 is not installed, GS411 if the environment is half filled in.
        """
        name = place.partition("://")[2].partition("/")[0]
        with _told(name):
            return cls(name, _client(patient))

    def listed(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Key, Size, LastModified and ETag of the objects below a prefix, without folders' markers."""
        with _told(self.name):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
            for page in pages:
                yield from (item for item in page.get("Contents", ()) if not item["Key"].endswith("/"))

    def holds(self, prefix: str) -> bool:
        """Whether there is an object whose key begins with the prefix."""
        with _told(self.name):
            page = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)
        return bool(page.get("Contents"))

    def head(self, key: str) -> dict[str, Any] | None:
        """ContentLength, LastModified and ETag of an object; None if it is not there."""
        from botocore.exceptions import ClientError

        with _told(self.name):
            try:
                found: dict[str, Any] = self.client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return None
                raise
        return found

    def body(self, key: str) -> Body:
        """An object's bytes. Raises FileNotFoundError too."""
        from botocore.exceptions import ClientError

        with _told(self.name):
            try:
                return Body(self.client.get_object(Bucket=self.name, Key=key)["Body"])
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key) from None
                raise

    def put(self, key: str, content: bytes) -> None:
        with _told(self.name):
            self.client.put_object(Bucket=self.name, Key=key, Body=content)


class Body(io.RawIOBase):
    """An object's bytes as they come. A connection that breaks is an OSError."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        from botocore.exceptions import BotoCoreError

        try:
            part: bytes = self._stream.read(len(buffer))
        except BotoCoreError as error:
            raise OSError(errno.EIO, str(error)) from error
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._stream.close()
        super().close()


def check_reachable(places: Collection[str]) -> None:
    """Asks the store of each `s3a://` place for one key below it: whether it is there and lets us in.

    It takes some milliseconds, and a few seconds to say what is wrong: Spark would try for minutes. Raises
    NotReady: GS410 no answer, GS411 the keys, GS412 no such bucket, GS413 the clock.
    """
    for place in dict.fromkeys(place for place in places if place.startswith("s3a://")):
        bucket = Bucket.of(place, patient=False)
        bucket.holds(f"{place.partition('://')[2].partition('/')[2]}/".lstrip("/"))


def _client(patient: bool) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise NotReady(
            "GS903",
            "boto3 is not installed, and this profile is on S3.",
            hint="`pip install 'goldsmith[s3]'`.",
        ) from None
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or None
    config = Config(
        connect_timeout=5,
        read_timeout=60 if patient else 10,
        max_pool_connections=32,
        retries={"mode": "standard", "total_max_attempts": 8 if patient else 1},
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    # A session of our own: boto3's default one is not safe where threads make clients.
    return boto3.session.Session().client("s3", endpoint_url=endpoint, region_name=region, config=config)


@contextmanager
def _told(bucket: str) -> Iterator[None]:
    """Failures of the store as errors that a person can act on."""
    try:
        import botocore.exceptions as failures
    except ImportError:
        yield
        return
    try:
        yield
    except failures.ClientError as error:
        raise _of_answer(error.response, bucket) from error
    except (
        failures.NoCredentialsError,
        failures.CredentialRetrievalError,
        failures.PartialCredentialsError,
    ) as error:
        raise refused(bucket, f"there are none: {error}") from error
    except (failures.ConnectTimeoutError, failures.ReadTimeoutError) as error:
        raise unreachable("it does not answer in time") from error
    except failures.EndpointConnectionError as error:
        raise unreachable("nothing listens there, or its name is not known") from error
    except failures.BotoCoreError as error:
        raise unreachable(str(error)) from error


def _of_answer(response: dict[str, Any], bucket: str) -> GoldsmithError:
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    if code == "RequestTimeTooSkewed":
        return skewed()
    if code == "NoSuchBucket":
        return no_bucket(bucket)
    if code in _REFUSED:
        return refused(bucket, code if code != "403" else "AccessDenied")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return unreachable(f"it answers {status} {code}: {message}")


def endpoint_name() -> str:
    """The store's address for people."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or "AWS"


def unreachable(told: str) -> NotReady:
    return NotReady(
        "GS410",
        f"The object store at {endpoint_name()} cannot be reached: {told.rstrip('.')}.",
        hint="Check that it is up, and AWS_ENDPOINT_URL_S3 (its URL; unset for AWS itself) and AWS_REGION.",
        retryable=True,
    )


def refused(bucket: str, told: str) -> NotReady:
    return NotReady(
        "GS411",
        f"The object store at {endpoint_name()} refuses the keys for the bucket `{bucket}` ({told}).",
        where=Where(file=f"s3a://{bucket}"),
        hint="Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what the store allows these keys to do.",
    )


def no_bucket(bucket: str) -> NotReady:
    return NotReady(
        "GS412",
        f"The object store at {endpoint_name()} has no bucket `{bucket}`.",
        where=Where(file=f"s3a://{bucket}"),
        hint="Make it, or name another: the profile's `landing` and `warehouse` begin with it.",
    )


def skewed() -> NotReady:
    return NotReady(
        "GS413",
        f"The clocks of this machine and of the object store at {endpoint_name()} are more than 15 minutes apart.",
        hint="Set them right: an NTP service does. The store refuses requests of another time.",
    )
