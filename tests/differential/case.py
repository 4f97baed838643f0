"""A case: declarations and the steps that are taken with them, as plain data that a file can hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Step = dict[str, Any]
"""One step: `do` says which (see machine.py), the other keys are its arguments."""


@dataclass
class Declared:
    """A table's declaration. otherwise: what is declared instead where `check` refuses it, first to last."""

    yaml: dict[str, Any]
    sql: str | None = None
    otherwise: list[Declared] = field(default_factory=list)

    @classmethod
    def of(cls, held: dict[str, Any]) -> Declared:
        return cls(held["yaml"], held["sql"], [cls.of(item) for item in held["otherwise"]])


@dataclass
class Case:
    """tables: what is declared at first, by name, in an order in which they can load."""

    seed: int
    tables: dict[str, Declared]
    steps: list[Step]
    options: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    @classmethod
    def of_json(cls, text: str) -> Case:
        held = json.loads(text)
        tables = {name: Declared.of(item) for name, item in held["tables"].items()}
        return cls(held["seed"], tables, held["steps"], held["options"])

    @classmethod
    def read(cls, path: Path) -> Case:
        return cls.of_json(path.read_text(encoding="utf-8"))

    def copy(self) -> Case:
        return deepcopy(self)

    def declarations(self) -> Iterator[tuple[str, Declared]]:
        """All declarations of all tables: the first ones, those of steps, and what is declared instead."""
        found = list(self.tables.items())
        found += [(step["table"], step["as"]) for step in self.steps if step["do"] == "declare"]
        for name, declared in found:
            one = declared if isinstance(declared, Declared) else Declared.of(declared)
            yield name, one
