"""The model of a declared expectation."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from goldsmith.project.strict_model import Strict

Otherwise = Literal["warn", "drop", "quarantine", "fail"]


class Expectation(Strict):
    """A condition on rows or on a batch: an expectation of Great Expectations, or SQL.

    kind: `condition`, or a name that begins with `expect_`. arguments: those of the expectation;
    for a condition `{condition: SQL}`.
    """

    kind: str
    arguments: dict[str, Any]
    name: str
    otherwise: Otherwise = "fail"
    description: str = ""
    ignore_nulls: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns named by the arguments, in their order; () for conditions and tables."""
        named: list[str] = []
        for key in ("column", "column_A", "column_B"):
            if isinstance(self.arguments.get(key), str):
                named.append(self.arguments[key])
        listed = self.arguments.get("column_list")
        if isinstance(listed, list):
            named.extend(str(column) for column in listed)
        return tuple(named)


_SHORTENED = re.compile(
    r"^expect_(column_values_|column_pair_values_|column_pair_|select_column_values_|column_)?"
)


def expectation_name(kind: str, arguments: dict[str, Any]) -> str:
    """The default name of an expectation: `distance_to_be_between`."""
    short = _SHORTENED.sub("", kind)
    columns = Expectation.model_construct(kind=kind, arguments=arguments, name="").columns
    return "_".join([*columns, short])


def _expectation(value: object) -> object:
    """Converts `{expect_...: {...}, otherwise: ...}` and `{condition: ..., name: ...}` to one form."""
    if not isinstance(value, dict) or "kind" in value:
        return value
    kinds = [
        key for key in value if isinstance(key, str) and (key.startswith("expect_") or key == "condition")
    ]
    if len(kinds) != 1:
        raise ValueError("an expectation is either one `expect_...: {arguments}` or `condition: SQL`")
    kind = kinds[0]
    rest = {key: item for key, item in value.items() if key != kind}
    if kind == "condition":
        if not isinstance(value[kind], str):
            raise ValueError("`condition` takes SQL as text")
        if "name" not in rest:
            raise ValueError("a condition needs a `name`")
        return {"kind": kind, "arguments": {"condition": value[kind]}, **rest}
    arguments = value[kind] or {}
    if not isinstance(arguments, dict):
        raise ValueError(f"`{kind}` takes its arguments as a mapping, as in {{column: ...}}")
    return {"kind": kind, "arguments": arguments, "name": expectation_name(kind, arguments), **rest}


DeclaredExpectation = Annotated[Expectation, BeforeValidator(_expectation)]
"""An expectation in either of its YAML forms."""
