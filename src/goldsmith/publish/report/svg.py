"""Elements of SVG and HTML as escaped text."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Value = str | float | None


def element(tag: str, *children: str, **attributes: Value) -> Markup:
    """An element; children and values are escaped unless they are Markup.

    In attribute names `_` stands for `-`, and a trailing `_` is removed (`class_`). None omits the attribute.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(short(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(str(escape(child)) for child in children)
    return Markup(f"<{tag}{written}>{inside}</{tag}>")


def join(parts: Iterable[Markup]) -> Markup:
    """The parts, concatenated."""
    return Markup("").join(parts)


def short(value: str | float) -> str:
    """A coordinate with at most one decimal; text unchanged."""
    if isinstance(value, str):
        return value
    return f"{value:.1f}".removesuffix(".0")
