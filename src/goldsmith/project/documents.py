"""YAML files as plain data that remembers where each key stood."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.suggest import hint_for

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[int, int]
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A YAML file's content. places: path of keys -> line and column, counted from 1."""

    file: Path
    data: dict[str, Any]
    places: Mapping[tuple[Hashable, ...], Place]

    def where(self, path: Sequence[Hashable] = (), *, table: str | None = None) -> Where:
        """The place of the longest beginning of `path` that the file has.

        Parts of the path that the file does not have (a model's own tags) are passed over.
        """
        known: tuple[Hashable, ...] = ()
        for part in path:
            if (*known, part) in self.places:
                known = (*known, part)
        line, column = self.places.get(known, (1, 1))
        return Where(file=self.file, line=line, column=column, table=table)


def read_document(file: Path) -> Document:
    """Reads one YAML mapping; an empty file is an empty mapping.

    Raises DeclarationError: GS101 where it does not parse, GS105 for a key written twice,
    GS103 where it is not a mapping.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        root = yaml.compose(text, Loader=_Loader)
    except UnicodeDecodeError as error:
        raise DeclarationError(
            "GS101",
            f"The file is not UTF-8 text: {error.reason} at byte {error.start}.",
            where=Where(file=file),
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Where(file=file)
        told = ", ".join(part for part in (error.context, error.problem) if part)
        raise DeclarationError(
            "GS101",
            f"This is not YAML: {told}.",
            where=where,
            hint="Often a missing quote, or a tab or an indent that is off.",
        ) from None
    except yaml.YAMLError as error:
        raise DeclarationError("GS101", f"This is not YAML: {error}.", where=Where(file=file)) from None
    if root is None:
        return Document(file, {}, {})
    places: dict[tuple[Hashable, ...], Place] = {}
    data = _plain(root, (), places, file)
    if not isinstance(data, dict):
        raise DeclarationError(
            "GS103", "The file must hold a mapping of keys to values.", where=Where(file=file, line=1)
        )
    return Document(file, data, places)


def _plain(
    node: yaml.Node, path: tuple[Hashable, ...], places: dict[tuple[Hashable, ...], Place], file: Path
) -> Any:
    """A node as dict, list or scalar; notes where each key and each list item stands."""
    places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key in result:
                raise DeclarationError(
                    "GS105",
                    f"The key `{key}` is written twice.",
                    where=Where(file=file, line=place[0], column=place[1]),
                )
            places[(*path, key)] = place
            result[key] = _plain(value_node, (*path, key), places, file)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), places, file) for index, item in enumerate(node.value)]
    return _scalar(node)


class _Scalars(yaml.constructor.SafeConstructor):
    """Turns a scalar node into a Python value by YAML's own rules."""


def _scalar(node: yaml.Node) -> Any:
    value = _Scalars().construct_object(node, deep=True)  # type: ignore[no-untyped-call]
    return value if value is None or isinstance(value, str | int | float | bool | date) else str(node.value)


def validate(model: type[Model], document: Document, *, table: str | None = None) -> Model:
    """The document as a model.

    Raises ExceptionGroup of DeclarationError (GS102, GS103, GS104), one for each mistake.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems = [_problem(model, document, dict(item), table) for item in error.errors(include_url=False)]
        raise ExceptionGroup("declaration", problems) from None


def _problem(
    model: type[BaseModel], document: Document, item: dict[str, Any], table: str | None
) -> DeclarationError:
    path = tuple(item["loc"])
    where = document.where(path, table=table)
    name = str(path[-1]) if path else ""
    shown = ".".join(str(part) for part in path if _written(document, part))
    match item["type"]:
        case "extra_forbidden":
            return DeclarationError(
                "GS102",
                f"Unknown key `{name}`.",
                where=where,
                hint=hint_for(name, _keys_at(model, path[:-1])),
            )
        case "missing":
            return DeclarationError(
                "GS104",
                f"The key `{name}` is missing" + (f" in `{shown}`." if shown and shown != name else "."),
                where=where,
            )
        case "union_tag_invalid":
            tag = str(item["ctx"]["tag"])
            choices = [choice.strip(" '") for choice in str(item["ctx"]["expected_tags"]).split(",")]
            return DeclarationError(
                "GS103", f"`{tag}` is not a load.", where=where, hint=hint_for(tag, choices)
            )
        case "union_tag_not_found" | "model_attributes_type":
            return DeclarationError(
                "GS103",
                f"`{shown}` cannot be read: {_value(item['input'])}.",
                where=where,
                hint="It takes a mapping, as in `load: {merge: {key: [id]}}`."
                if name == "load"
                else "It takes a mapping.",
            )
        case "literal_error":
            value = str(item["input"])
            choices = [
                choice.strip(" '") for choice in str(item["ctx"]["expected"]).replace(" or ", ", ").split(",")
            ]
            return DeclarationError(
                "GS103", f"`{shown}` cannot be `{value}`.", where=where, hint=hint_for(value, choices)
            )
        case "value_error":
            return DeclarationError("GS103", _sentence(str(item["ctx"]["error"])), where=where)
        case _:
            told = str(item["msg"])
            return DeclarationError(
                "GS103",
                f"`{shown or name}` is {_value(item['input'])}: {told[0].lower()}{told[1:]}.",
                where=where,
            )


def _written(document: Document, part: Hashable) -> bool:
    return any(part in path for path in document.places)


def _keys_at(model: type[BaseModel], path: Sequence[Hashable]) -> list[str]:
    """The keys that may stand at `path` of a model: enough for the near miss of a wrong one."""
    current: list[type[BaseModel]] = [model]
    for part in path:
        fields = [field for one in current for name, field in one.model_fields.items() if name == part]
        if not fields:
            tagged = [
                one for one in current if getattr(one.model_fields.get("kind"), "default", None) == part
            ]
            current = tagged or current
            continue
        current = [found for field in fields for found in _models_in(field.annotation)]
    return sorted({name for one in current for name in one.model_fields if name != "kind"})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]


def _value(value: object) -> str:
    text = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")
