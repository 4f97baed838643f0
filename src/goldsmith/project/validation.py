"""Validates documents against models and words the errors."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from goldsmith.errors import DeclarationError
from goldsmith.project.documents import Document
from goldsmith.project.hints import hint_for
from goldsmith.project.sources import SOURCES

Model = TypeVar("Model", bound=BaseModel)
_LONGEST = 60


def validate(model: type[Model], document: Document, *, table: str | None = None) -> Model:
    """The document as a model.

    Raises an ExceptionGroup of DeclarationErrors (GS102, GS103, GS104), one for each mistake.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        items = [_without_tags(dict(item)) for item in error.errors(include_url=False)]
        problems = [_problem(model, document, item, table) for item in _one_for_each_value(document, items)]
        raise ExceptionGroup("declaration", problems) from None


def _without_tags(item: dict[str, Any]) -> dict[str, Any]:
    """An error whose path has no tags of sources, which are not part of YAML."""
    return {**item, "loc": tuple(part for part in item["loc"] if part not in SOURCES)}


def _one_for_each_value(document: Document, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keeps one error for a value that may be of several types, where pydantic has one for each type."""
    kept: dict[object, dict[str, Any]] = {}
    for at, item in enumerate(items):
        path = tuple(item["loc"])
        choice = path and path[-1] in _SCALARS and path not in document.places
        if choice:
            item["loc"], item["type"] = path[:-1], "scalar"
        kept.setdefault(path[:-1] if choice else at, item)
    return list(kept.values())


_SCALARS = ("str", "int", "float", "bool", "list[any]")
_TAKES = {
    "scalar": "text, a number, true or false",
    "string_type": "text",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date such as 2013-01-31",
    "date_parsing": "a date such as 2013-01-31",
    "date_from_datetime_parsing": "a date such as 2013-01-31",
    "date_from_datetime_inexact": "a date such as 2013-01-31",
}
_AS_IN = {
    "key": "As in `load: {merge: {key: [id]}}`.",
    "by": "As in `load: {overwrite_partitions: {by: [day]}}`.",
    "files": "As in `source: {files: orders/*.csv, format: csv}`.",
    "format": "As in `source: {files: orders/*.csv, format: csv}`.",
    "source": "As in `source: {files: orders/*.csv, format: csv}`.",
    "columns": "As in `columns: {id: int, name: string}`.",
    "schedule": 'As in `schedule: "0 6 * * *"` or `schedule: {after: [gold.orders]}`.',
    "maintenance": 'As in `maintenance: "0 3 * * 0"`.',
    "load": "As in `load: {merge: {key: [id]}}`.",
    "expectations": "As in `- expect_column_values_to_not_be_null: {column: id}`.",
}


def _problem(
    model: type[BaseModel], document: Document, item: dict[str, Any], table: str | None
) -> DeclarationError:
    path = tuple(item["loc"])
    name = next((str(part) for part in reversed(path) if not isinstance(part, int)), "")
    code, message, hint = _explained(model, item, name, _shown(document, path))
    return DeclarationError(code, message, where=document.where(path, table=table), hint=hint)


def _shown(document: Document, path: Sequence[Hashable]) -> str:
    """The path of keys to a value as written in the file, from the last list item on."""
    written: list[str] = []
    known: tuple[Hashable, ...] = ()
    for part in path:
        if (*known, part) not in document.places:
            continue
        known = (*known, part)
        if not isinstance(part, int):
            written.append(part if isinstance(part, str) else str(part))
        elif part != path[-1]:
            written.clear()
    return ".".join(written)


def _explained(
    model: type[BaseModel], item: dict[str, Any], name: str, shown: str
) -> tuple[str, str, str | None]:
    """Code, message and hint for one of pydantic's errors."""
    given, context = item["input"], item.get("ctx", {})
    match item["type"]:
        case "extra_forbidden":
            among = _keys_at(model, tuple(item["loc"])[:-1])
            return "GS102", f"Unknown key `{name}`.", hint_for(name, among)
        case "missing":
            inside = f" in `{shown}`" if shown else ""
            return "GS104", f"The key `{name}` is missing{inside}.", _AS_IN.get(name)
        case "union_tag_invalid":
            choices = [choice.strip(" '") for choice in str(context["expected_tags"]).split(",")]
            return "GS103", f"`{context['tag']}` is not a load.", hint_for(str(context["tag"]), choices)
        case "union_tag_not_found":
            return "GS103", f"`{shown}` takes a mapping, not {_value(given)}.", _AS_IN.get(name)
        case "literal_error":
            expected = str(context["expected"]).replace(" or ", ", ")
            choices = [choice.strip(" '") for choice in expected.split(",")]
            return "GS103", f"`{shown}` cannot be {_value(given)}.", hint_for(str(given), choices)
        case "value_error":
            return "GS103", _sentence(str(context["error"])), _AS_IN.get(str(item["loc"][0]))
        case "too_short" | "too_long":
            least, most = context.get("min_length"), context.get("max_length")
            bound = f"at least {least}" if least is not None else f"at most {most}"
            message = f"`{shown}` has {context['actual_length']} items and must have {bound}."
            return "GS103", message, _AS_IN.get(name)
        case "greater_than_equal" | "less_than_equal":
            bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
            return "GS103", f"`{shown}` is {_value(given)} and must be {bound}.", None
        case "model_type" | "model_attributes_type" if given is None and name.endswith((")", ">")):
            message = f"`{name}` is the end of a type that a comma cuts in two."
            return "GS103", message, 'Put the type in quotes, as in `{amount: "decimal(9,2)", day: date}`.'
        case "model_type" | "model_attributes_type" if shown.startswith("columns."):
            message = f"`{shown}` takes a type, or a mapping, not {_value(given)}."
            return "GS103", message, f"As in `{name}: int` or `{name}: {{type: int, description: ...}}`."
        case kind if kind in _TAKES:
            plain = isinstance(given, bool | int | float | date)
            quote = "Put it in quotes." if kind == "string_type" and plain else _AS_IN.get(name)
            return "GS103", f"`{shown or name}` takes {_TAKES[kind]}, not {_value(given)}.", quote
        case _:
            message = str(item["msg"])
            return "GS103", f"`{shown or name}`: {message[0].lower()}{message[1:]}.", None


def _keys_at(model: type[BaseModel], path: Sequence[Hashable]) -> list[str]:
    """The keys that are valid at `path` of a model, for hints about a misspelled one."""
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
    """A value for a message: its kind if it is a list or a mapping, else its text."""
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text if len(text) <= _LONGEST else text[:_LONGEST] + '...'}`"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")
