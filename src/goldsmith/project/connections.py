"""Connections to databases, declared in a profile."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from goldsmith.project.strict_model import Strict

_SECRET = re.compile(r"(?i)[?&;](password|pwd)=|//[^/@]*:[^/@]*@")
_VARIABLE = re.compile(r"^\$\{\w+(:-)?\}$")


def _url(url: str) -> str:
    if not url.startswith("jdbc:"):
        raise ValueError("a `url` begins with `jdbc:`, as in jdbc:postgresql://localhost:5432/shop")
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
    """A database."""

    url: Annotated[str, AfterValidator(_url)] = Field(
        description="The JDBC address: jdbc:postgresql://localhost:5432/shop"
    )
    user: str | None = Field(None, description="The account, which only needs to read.")
    password: Annotated[str, AfterValidator(_variable)] | None = Field(
        None, description="The environment variable with its password: ${SHOP_PASSWORD}"
    )

    @property
    def system(self) -> str:
        """The database system: `postgresql`."""
        return self.url.split(":")[1]
