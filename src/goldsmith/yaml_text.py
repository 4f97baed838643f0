"""Parses YAML with libyaml, which PyYAML's wheels include: some ten times as fast as PyYAML's own parser."""

from __future__ import annotations

from typing import Any

import yaml

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parsed(text: str) -> Any:
    """The content of a YAML document. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=LOADER)
