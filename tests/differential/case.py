"""A case: declarations and steps, as plain data that can be stored in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Step = dict[str, Any]
"""One step: `do` is its kind (see machine.py), the other keys are its arguments."""


@dataclass
class Declared:
    """A table's declaration. otherwise: its replacements in order, if `check` refuses it."""

    yaml: dict[str, Any]
    sql: str | None = None
    otherwise: list[Declared] = field(default_factory=list)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Declared:
        return cls(data["yaml"], data["sql"], [cls.of(item) for item in data["otherwise"]])


@dataclass
class Case:
    """A case. tables: the initial declarations by name, upstreams first."""

    seed: int
    tables: dict[str, Declared]
    steps: list[Step]
    options: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    @classmethod
    def of_json(cls, text: str) -> Case:
        data = json.loads(text)
        tables = {name: Declared.of(item) for name, item in data["tables"].items()}
        return cls(data["seed"], tables, data["steps"], data["options"])

    @classmethod
    def read(cls, path: Path) -> Case:
        return cls.of_json(path.read_text(encoding="utf-8"))

    def copy(self) -> Case:
        return deepcopy(self)

    def declarations(self) -> Iterator[tuple[str, Declared]]:
        """All declarations of all tables: the initial ones and those of steps."""
        found = list(self.tables.items())
        found += [(step["table"], step["as"]) for step in self.steps if step["do"] == "declare"]
        for name, declared in found:
            one = declared if isinstance(declared, Declared) else Declared.of(declared)
            yield name, one
