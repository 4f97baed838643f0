"""Expectations on a table's columns, of each kind and with each outcome."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from differential.queries import Columns, Grammar, Relation, quoted
from differential.values import kind_of, plain_text

OUTCOMES = ("quarantine",) * 5 + ("drop",) * 3 + ("warn",) * 2 + ("fail",)


def rules(
    random: Random, columns: Columns, references: Sequence[Relation], most: int = 2
) -> list[dict[str, Any]]:
    """Expectations with unique names. references: tables that values may have to exist in."""
    found = []
    for at in range(random.choice([0, 0, 1, 1, most])):
        rule = _rule(random, columns, references)
        rule["name"] = f"rule_{at}"
        rule.setdefault("otherwise", random.choice(OUTCOMES))
        found.append(rule)
    return found


def _bound(kind: str, value: Any) -> Any:
    return value if kind_of(kind).whole else plain_text(kind, value)


def _rule(random: Random, columns: Columns, references: Sequence[Relation]) -> dict[str, Any]:
    name, kind = random.choice(columns)
    type_ = kind_of(kind)
    if random.random() < 0.3:
        pairs = [
            (own, other.name, key)
            for other in references
            for key, key_kind in other.columns
            for own, own_kind in columns
            if own_kind == key_kind
            and kind_of(own_kind).groupable
            and not kind_of(own_kind).nested
            and own_kind
        ]
        if pairs:
            own, table, key = random.choice(pairs)
            arguments = {"column": own, "table": table, "key": key}
            return {"expect_column_values_to_exist_in": arguments}
    found: list[dict[str, Any]] = [{"expect_column_values_to_not_be_null": {"column": name}}] * 2
    condition = Grammar(random).condition([(quoted(own), of) for own, of in columns])
    found += [{"condition": condition}, {"condition": condition, "ignore_nulls": True}]
    if (type_.number or kind in ("date", "timestamp")) and type_.ordinary:
        bound = _bound(kind, random.choice(type_.ordinary))
        side = random.choice(["min_value", "max_value"])
        found += [{"expect_column_values_to_be_between": {"column": name, side: bound}}] * 2
    if (type_.text or type_.whole) and type_.ordinary:
        chosen = [_bound(kind, value) for value in random.sample(type_.ordinary, min(2, len(type_.ordinary)))]
        chosen_kind = random.choice(
            ["expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"]
        )
        found.append({chosen_kind: {"column": name, "value_set": chosen}})
    if type_.text:
        found.append({"expect_column_values_to_match_regex": {"column": name, "regex": "^[a-z]*$"}})
        found.append({"expect_column_value_lengths_to_be_between": {"column": name, "max_value": 2}})
    pairs_ = [other for other, of in columns if of == kind and other != name and kind_of(of).groupable]
    if pairs_:
        arguments = {"column_A": name, "column_B": random.choice(pairs_)}
        found.append({"expect_column_pair_values_to_be_equal": arguments})
    if type_.groupable and random.random() < 0.2:
        found = [{"expect_column_values_to_be_unique": {"column": name}, "otherwise": "warn"}]
        found.append({"expect_table_row_count_to_be_between": {"max_value": 3}, "otherwise": "warn"})
        share = {"column": name, "mostly": 0.5}
        found.append(
            {"expect_column_values_to_not_be_null": share, "otherwise": random.choice(["warn", "fail"])}
        )
    return dict(random.choice(found))
