"""Validates the user home against the models of DQOps' Python package: unknown keys and wrong types.

The server silently ignores an unknown key and never runs its check, so nothing else would report it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import yaml

from goldsmith.errors import DeclarationError, NotReady, Where
from goldsmith.publish.dqops.names import VERSION
from goldsmith.yaml_text import parsed

_MODELS = {
    "table": ("table_spec", "TableSpec"),
    "source": ("connection_spec", "ConnectionSpec"),
    "default_table_checks": ("table_quality_policy_spec", "TableQualityPolicySpec"),
    "default_column_checks": ("column_quality_policy_spec", "ColumnQualityPolicySpec"),
}
"""The model of each kind of file. Other kinds have no model."""

_OPEN = "Custom"
"""Models with user-defined keys: custom checks and their parameters."""


def find_errors(home: Path) -> list[DeclarationError]:
    """All errors in the YAML files of a home, in the order of their paths.

    Raises NotReady GS903 if the package `dqops` is not installed.
    """
    try:
        import_module("dqops.client.models.table_spec")
    except ImportError as error:
        raise NotReady(
            "GS903",
            f"The user home cannot be validated against DQOps' models: the package dqops is not installed ({error}).",
            hint=f"pip install dqops=={VERSION}",
        ) from error
    found = []
    for folder in ("sources", "patterns"):
        for file in sorted((home / folder).rglob("*.dqo*.yaml")):
            found += [
                DeclarationError(
                    "GS711",
                    message,
                    where=Where(file=file),
                    hint="Correct it: DQOps would silently ignore it.",
                )
                for message in problems(file.read_text(encoding="utf-8", errors="replace"))
            ]
    return found


def problems(text: str) -> list[str]:
    """The errors of one file, as sentences that name the key by its path."""
    try:
        if any(getattr(event, "anchor", None) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            return ["The file has a YAML anchor, so DQOps reads none of its checks."]
        document = parsed(text)
    except yaml.YAMLError as error:
        return [f"This is not YAML: {str(error).splitlines()[0]}."]
    if not isinstance(document, Mapping):
        return ["The file contains no document."]
    extra = sorted(set(map(str, document)) - {"apiVersion", "kind", "spec"})
    found = [f"Unknown key `{key}`." for key in extra]
    kind, spec = document.get("kind"), document.get("spec")
    if document.get("apiVersion") != "dqo/v1":
        found.append("`apiVersion` must be dqo/v1.")
    if kind not in _MODELS:
        return [*found, f"`kind` must be one of {', '.join(_MODELS)}, not `{kind}`."]
    if not isinstance(spec, Mapping):
        return [*found, "`spec` is missing or not a mapping."]
    module, name = _MODELS[kind]
    model = getattr(import_module(f"dqops.client.models.{module}"), name)
    try:
        read = model.from_dict(dict(spec))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return [*found, f"The file does not match DQOps' model: {error}."]
    return [*found, *_walk(read, "spec"), *_unresolved(spec, "spec")]


def _unresolved(found: Any, path: str) -> Iterator[str]:
    """Notification addresses with a variable. The server resolves variables only in a connection's account."""
    for key, value in found.items() if isinstance(found, Mapping) else ():
        if isinstance(value, str) and str(key).endswith("_addresses") and "${" in value:
            yield f"`{path}.{key}` has a variable, but DQOps replaces no variables in addresses."
        else:
            yield from _unresolved(value, f"{path}.{key}")


def _walk(model: Any, path: str) -> Iterator[str]:
    """All unknown keys and all scalars of the wrong type below a model."""
    is_open = _OPEN in type(model).__name__
    for key, value in getattr(model, "additional_properties", {}).items():
        if hasattr(value, "__attrs_attrs__"):
            yield from _walk(value, f"{path}.{key}")
        elif not is_open and not _is_map(model):
            yield f"Unknown key `{path}.{key}`."
    for attribute in type(model).__attrs_attrs__:
        if attribute.name == "additional_properties":
            continue
        value, key = getattr(model, attribute.name), f"{path}.{attribute.name.rstrip('_')}"
        if type(value).__name__ == "Unset":
            continue
        for item in value if isinstance(value, list) else [value]:
            if hasattr(item, "__attrs_attrs__"):
                yield from _walk(item, key)
            elif not _fits(item, _scalars(attribute.type)):
                yield f"`{key}` must be {_type_names(attribute.type)}, not {item!r}."


def _scalars(annotation: Any) -> set[type]:
    """The scalar types in a field's annotation, including those of list items; empty for models and enums."""
    if annotation in (str, int, float, bool):
        return {annotation}
    return {found for inner in get_args(annotation) for found in _scalars(inner)}


def _fits(value: Any, scalars: set[type]) -> bool:
    if not scalars:
        return True
    if isinstance(value, bool) or bool in scalars:
        return isinstance(value, bool) and bool in scalars
    return isinstance(value, tuple(scalars | ({int} if float in scalars else set())))


def _type_names(annotation: Any) -> str:
    return " or ".join(sorted(found.__name__ for found in _scalars(annotation)))


def _is_map(model: Any) -> bool:
    """A model without fields of its own is a mapping by free names, such as a connection's properties."""
    return len(type(model).__attrs_attrs__) == 1 and type(model).__name__.endswith("Properties")
