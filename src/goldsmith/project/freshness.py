"""How old a table may become, measured by its last load or by a column's newest value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_AGE = re.compile(r"^(\d+)\s*([mhd])$")


def _age(value: str) -> str:
    found = _AGE.match(value.strip())
    if found is None or int(found[1]) == 0:
        raise ValueError(f"`{value}` is not an age: write 45m, 36h or 3d")
    return value


Age = Annotated[
    str, AfterValidator(_age), WithJsonSchema({"type": "string", "pattern": r"^[1-9][0-9]*\s*[mhd]$"})
]
"""A length of time such as 45m, 36h or 3d."""

FreshWithin = Age | Annotated[dict[str, Age], Field(min_length=1, max_length=1)]
"""An age since the table's last load, or `{column: age}` since the column's newest value."""


@dataclass(frozen=True)
class Freshness:
    """A declared freshness. within: the greatest age. column: its newest value is compared; None: the last load."""

    within: timedelta
    column: str | None = None

    @classmethod
    def of(cls, declared: str | dict[str, str] | None) -> Freshness | None:
        """The freshness that `fresh_within` declares."""
        if declared is None:
            return None
        column, age = next(iter(declared.items())) if isinstance(declared, dict) else (None, declared)
        found = _AGE.match(age.strip())
        assert found is not None  # the model has rejected anything else
        return cls(timedelta(**{_UNITS[found[2]]: int(found[1])}), column)

    @property
    def days(self) -> float:
        return round(self.within.total_seconds() / 86400, 6)
