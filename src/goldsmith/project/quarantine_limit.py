"""The model of `max_quarantined`: how many of a load's rows may be quarantined."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from goldsmith.project.expectations import Expectation
from goldsmith.project.strict_model import Strict

LIMIT = "max_quarantined"
"""The key in YAML, and the name of the limit's verdicts."""

_SHARE = re.compile(r"^(\d{1,3}(?:\.\d+)?)\s*%$")
_WHOLE = 100


def _share(value: object) -> object:
    found = _SHARE.match(value.strip()) if isinstance(value, str) else None
    if found is None or Decimal(found[1]) > _WHOLE:
        raise ValueError(f"`{value}` is not a share of rows: write a percentage from 0% to 100%, such as 5%")
    return Decimal(found[1])


Share = Annotated[
    Decimal,
    BeforeValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]+)?\s*%$"}),
]
"""A percentage such as 5% or 0.5%."""


class QuarantineLimit(Strict):
    """The rows of a load that may be quarantined: the greater one of `share` and `rows`."""

    share: Share | None = Field(None, description="A share of the rows that the load reads: 5%.")
    rows: int | None = Field(None, description="A number of rows, for loads of few rows.", ge=0)
    otherwise: Literal["fail", "warn"] = Field(
        "fail", description="What to do with a load above the limit: stop it before its commit, or warn."
    )

    @model_validator(mode="after")
    def _has_limit(self) -> QuarantineLimit:
        if self.share is None and self.rows is None:
            raise ValueError("`max_quarantined` needs `share`, `rows`, or both")
        return self

    def is_exceeded(self, quarantined: int, rows_in: int) -> bool:
        """Whether a load of `rows_in` rows quarantines too many of them."""
        above_share = self.share is None or quarantined * _WHOLE > self.share * rows_in
        return above_share and (self.rows is None or quarantined > self.rows)

    def as_expectation(self) -> Expectation:
        """The limit in the form of an expectation, for verdicts."""
        description = f"A load may quarantine at most {self.summary()}."
        return Expectation(
            kind=LIMIT, arguments={}, name=LIMIT, otherwise=self.otherwise, description=description
        )

    def summary(self) -> str:
        """The limit in words: `5 % of its rows or 10 rows`."""
        parts = [] if self.share is None else [f"{self.share.normalize():f} % of its rows"]
        if self.rows is not None:
            parts.append("1 row" if self.rows == 1 else f"{self.rows:,} rows")
        return " or ".join(parts)


def _limit(value: object) -> object:
    """Converts `5%` and `100` to the long form."""
    if isinstance(value, str):
        return {"share": value}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"rows": value}
    if value is not None and not isinstance(value, dict | QuarantineLimit):
        raise ValueError(f"`{value}` is neither a percentage such as 5% nor a number of rows")
    return value


DeclaredLimit = Annotated[QuarantineLimit, BeforeValidator(_limit)]
"""A percentage, a number of rows, or a mapping."""
