"""The user home against the models of DQOps' own Python package: unknown keys and values of the wrong type.

The server takes an unknown key in silence and the check is never run, so nothing else would tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import yaml

from goldsmith.errors import DeclarationError, NotReady, Where
from goldsmith.publish.dqops.names import VERSION

_MODELS = {
    "table": ("table_spec", "TableSpec"),
    "source": ("connection_spec", "ConnectionSpec"),
    "default_table_checks": ("table_quality_policy_spec", "TableQualityPolicySpec"),
    "default_column_checks": ("column_quality_policy_spec", "ColumnQualityPolicySpec"),
}
"""The model of each kind of file. Files of other kinds have none that can be held against."""

_OPEN = "Custom"
"""Models whose keys are people's own: custom checks and their parameters."""


def mistakes(home: Path) -> list[DeclarationError]:
    """Everything wrong with the YAML files of a home, in the order of their paths.

    Raises NotReady GS903 where the package `dqops` is not installed.
    """
    try:
        import_module("dqops.client.models.table_spec")
    except ImportError as error:
        raise NotReady(
            "GS903",
            f"The user home cannot be held against DQOps' models: the package dqops is not installed ({error}).",
            hint=f"pip install dqops=={VERSION}",
        ) from error
    found = []
    for folder in ("sources", "patterns"):
        for file in sorted((home / folder).rglob("*.dqo*.yaml")):
            found += [
                DeclarationError(
                    "GS711", told, where=Where(file=file), hint="DQOps would pass over it in silence."
                )
                for told in problems(file.read_text(encoding="utf-8", errors="replace"))
            ]
    return found


def problems(text: str) -> list[str]:
    """What is wrong with one file, as sentences that name the key by its path."""
    try:
        if any(getattr(event, "anchor", None) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            return ["It has a YAML anchor, and DQOps then reads no check of the file."]
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"This is not YAML: {str(error).splitlines()[0]}."]
    if not isinstance(document, Mapping):
        return ["It holds no document."]
    extra = sorted(set(map(str, document)) - {"apiVersion", "kind", "spec"})
    told = [f"Unknown key `{key}`." for key in extra]
    kind, spec = document.get("kind"), document.get("spec")
    if document.get("apiVersion") != "dqo/v1":
        told.append("`apiVersion` must be dqo/v1.")
    if kind not in _MODELS:
        return [*told, f"`kind: {kind}` is none of {', '.join(_MODELS)}."]
    if not isinstance(spec, Mapping):
        return [*told, "`spec` is missing, or is no mapping."]
    module, name = _MODELS[kind]
    model = getattr(import_module(f"dqops.client.models.{module}"), name)
    try:
        read = model.from_dict(dict(spec))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return [*told, f"It does not fit DQOps' model: {error}."]
    return [*told, *_walk(read, "spec"), *_unresolved(spec, "spec")]


def _unresolved(found: Any, path: str) -> Iterator[str]:
    """Addresses of notifications with a variable. The server resolves variables in a connection's login alone."""
    for key, value in found.items() if isinstance(found, Mapping) else ():
        if isinstance(value, str) and str(key).endswith("_addresses") and "${" in value:
            yield f"`{path}.{key}` has a variable, which DQOps does not replace in an address."
        else:
            yield from _unresolved(value, f"{path}.{key}")


def _walk(model: Any, path: str) -> Iterator[str]:
    """Every unknown key and every scalar of the wrong type below a model that was read."""
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
                yield f"`{key}` takes {_told(attribute.type)}, not {item!r}."


def _scalars(annotation: Any) -> set[type]:
    """The plain types in a field's annotation, those of a list's items among them; none for models and enums."""
    if annotation in (str, int, float, bool):
        return {annotation}
    return {found for inner in get_args(annotation) for found in _scalars(inner)}


def _fits(value: Any, scalars: set[type]) -> bool:
    if not scalars:
        return True
    if isinstance(value, bool) or bool in scalars:
        return isinstance(value, bool) and bool in scalars
    return isinstance(value, tuple(scalars | ({int} if float in scalars else set())))


def _told(annotation: Any) -> str:
    return " or ".join(sorted(found.__name__ for found in _scalars(annotation)))


def _is_map(model: Any) -> bool:
    """A model without fields of its own is a mapping by free names, such as a connection's properties."""
    return len(type(model).__attrs_attrs__) == 1 and type(model).__name__.endswith("Properties")
