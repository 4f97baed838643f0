"""Spark's types as text."""

from __future__ import annotations

import pytest

from goldsmith.project.column_types import WrongTypeError, check_type


@pytest.mark.parametrize(
    "text",
    [
        "int",
        "STRING",
        "decimal",
        "decimal(9)",
        "decimal( 9 , 2 )",
        "varchar(10)",
        "timestamp_ntz",
        "array<string>",
        "map<string,array<decimal(9,2)>>",
        "struct<a:int, `b c`: string>",
        "struct<a int not null, b: struct<c: date> comment 'it, <too>'>",
    ],
)
def test_valid_types(text: str) -> None:
    check_type(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends too early"),
        ("integr", "`integr`"),
        ("int int", "unexpected `int`"),
        ("decimal(9,2", "ends too early"),
        ("decimal(39,2)", "38 digits"),
        ("decimal(3,4)", "38 digits"),
        ("decimal(x)", "expected a number"),
        ("varchar", "a length"),
        ("array", "ends too early"),
        ("array(int)", "expected `<`"),
        ("map<string>", "expected `,`"),
        ("struct<a:intt>", "`intt`"),
        ("double precision", "`precision`"),
        ("a$b", "`a$b`"),
        ("void", "`void`"),
    ],
)
def test_invalid_types_are_refused(text: str, words: str) -> None:
    with pytest.raises(WrongTypeError, match=words.replace("$", r"\$").replace("(", r"\(")):
        check_type(text)


@pytest.mark.parametrize(("text", "meant"), [("bool", "boolean"), ("Text", "string"), ("bigin", "bigint")])
def test_similar_type_is_suggested(text: str, meant: str) -> None:
    with pytest.raises(WrongTypeError) as found:
        check_type(text)
    assert found.value.hint == f"Did you mean `{meant}`?"
