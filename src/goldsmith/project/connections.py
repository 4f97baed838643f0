"""Connections to databases and buckets, declared in a profile."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from goldsmith.project.strict_model import Strict

DATABASE, BUCKET = "jdbc:", "s3://"
"""What the address of a database begins with, and that of a bucket."""

SQLITE = "jdbc:sqlite:"

_SECRET = re.compile(r"(?i)[?&;](password|pwd)=|//[^/@]*:[^/@]*@")
_VARIABLE = re.compile(r"^\$\{\w+(:-)?\}$")


def _url(url: str) -> str:
    if url.startswith(BUCKET):
        if not url.removeprefix(BUCKET).strip("/") or "//" in url.removeprefix(BUCKET):
            raise ValueError("the `url` of a bucket is s3://bucket or s3://bucket/folder")
        return url.rstrip("/")
    if url.startswith("jdbc:mariadb:"):
        raise ValueError("Spark reads MariaDB as MySQL: the `url` begins with `jdbc:mysql:`")
    if not url.startswith(DATABASE):
        raise ValueError(
            "a `url` begins with `jdbc:` or `s3://`, as in jdbc:postgresql://localhost:5432/shop or s3://bucket/folder"
        )
    if _SECRET.search(url):
        raise ValueError("a `url` contains no password: declare `password: ${NAME}`")
    return url


def _variable(password: str) -> str:
    if not _VARIABLE.match(password):
        raise ValueError(
            "`password` names an environment variable, as in ${SHOP_PASSWORD}: it is never in a file"
        )
    return password


class ConnectionSpec(Strict):
    """A database or a bucket."""

    url: Annotated[str, AfterValidator(_url)] = Field(
        description="The address: jdbc:postgresql://localhost:5432/shop, or s3://bucket/folder"
    )
    user: str | None = Field(
        None, description="The account, which only needs to read. The access key's id of a bucket."
    )
    password: Annotated[str, AfterValidator(_variable)] | None = Field(
        None, description="The environment variable with its password or secret key: ${SHOP_PASSWORD}"
    )
    endpoint: str | None = Field(
        None, description="The URL of the bucket's store; by default that of the lake."
    )
    region: str | None = Field(None, description="The bucket's region.")

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if self.url.startswith(BUCKET):
            if (self.user is None) != (self.password is None):
                raise ValueError("a bucket needs both `user` and `password`, its access key, or neither")
        else:
            for key in ("endpoint", "region"):
                if getattr(self, key) is not None:
                    raise ValueError(f"`{key}` is for buckets, whose `url` begins with `s3://`")
        return self

    @property
    def system(self) -> str:
        """The database system: `postgresql`; `s3` for a bucket."""
        return "s3" if self.url.startswith(BUCKET) else self.url.split(":")[1]
