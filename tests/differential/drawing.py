"""A seed's case: tables, deliveries in random groups, and events between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from random import Random
from typing import Any

from differential.batches import DAYS, Deliveries
from differential.case import Case, Step
from differential.projects import CHANGING_FORMATS, FORMATS, MORE_FORMATS, Bronze, Derived, bronze, derived
from differential.queries import Grammar, Relation, quoted
from differential.rules import rules
from differential.values import types_for

MORE_FORMATS_FROM = 100_000
"""The first seed that draws XML and Avro. Smaller ones are named by mutations, and draw what they drew before."""

CHANGING_FROM = 200_000
"""The first seed that draws restated days, columns whose files have several types, and ZIP files."""


def draw(seed: int) -> Case:
    """The case of a seed, which depends only on the number."""
    random = Random(f"goldsmith {seed}")
    changing = seed >= CHANGING_FROM
    formats = FORMATS if seed < MORE_FORMATS_FROM else CHANGING_FORMATS if changing else MORE_FORMATS
    sources = [
        bronze(random, f"bronze.b{at}", formats, changing=changing) for at in range(random.choice([1, 2]))
    ]
    tables: list[Derived] = []
    for at in range(random.choice([1, 1, 2, 2, 3])):
        upstreams: list[Relation] = [table.relation for table in (*sources, *tables)]
        if at and random.random() < 0.3:
            upstreams = [tables[-1].relation, *random.sample(upstreams, 1)]
        unique = list({relation.name: relation for relation in upstreams}.values())
        layer = "silver" if at == 0 or random.random() < 0.5 else "gold"
        tables.append(derived(random, f"{layer}.t{at}", unique))
    case = Case(seed, {table.name: table.declared for table in (*sources, *tables)}, [])
    case.steps = _steps(random, sources, tables, zip_files=changing)
    return case


def _steps(
    random: Random, sources: Sequence[Bronze], tables: list[Derived], *, zip_files: bool
) -> list[Step]:
    deliveries = {table.name: Deliveries(random, table, zip_files=zip_files) for table in sources}
    steps: list[Step] = [deliveries[table.name].file() for table in sources if random.random() < 0.9]
    steps += _first_runs(sources)
    for _ in range(random.choice([1, 2, 2, 3])):
        for _ in range(random.choice([1, 1, 1, 2])):
            table = random.choice(sources)
            steps.append(deliveries[table.name].file(replaces=random.random() < 0.08))
        if random.random() < 0.5:
            steps += _event(random, sources, tables)
        if withdrawn := [step for step in steps if step["do"] == "deliver" and _is_of_day(step, sources)]:
            steps += [{"do": "withdraw", "path": random.choice(withdrawn)["path"]}] * (random.random() < 0.3)
        steps.append(_run(random, sources, tables))
    return steps


def _is_of_day(step: Step, sources: Sequence[Bronze]) -> bool:
    return any(table.by_interval and table.name == step["table"] for table in sources)


def _first_runs(sources: Sequence[Bronze]) -> list[Step]:
    if any(table.by_interval for table in sources):
        return [{"do": "run", "day": day} for day in DAYS]
    return [{"do": "run"}]


def _run(random: Random, sources: Sequence[Bronze], tables: Sequence[Derived]) -> Step:
    step: Step = {"do": "run"}
    if any(table.by_interval for table in sources):
        step["day"] = random.choice(DAYS)
        step["again"] = random.random() < 0.8
    names = [table.name for table in (*sources, *tables)]
    if random.random() < 0.15:
        step["tables"] = random.sample(names, random.randint(1, len(names)))
    gates = [
        rule["name"] for table in tables for rule in table.expectations if rule.get("otherwise") == "fail"
    ]
    if gates and random.random() < 0.4:
        step["accept"] = [random.choice(gates)]
    if random.random() < 0.15:
        step["interrupt"] = _interrupt(random, names, [table.name for table in tables])
    return step


def _interrupt(random: Random, names: Sequence[str], derived_names: Sequence[str]) -> Step:
    what = random.choice(["die", "die", "die", "append", "load"])
    if what == "load":
        table = random.choice(derived_names)
        return {
            "table": table,
            "what": what,
            "other": random.choice([n for n in names if n != table]),
            "call": _call(random),
        }
    table = random.choice(derived_names if what == "append" else names)
    return {"table": table, "what": what, "call": _call(random), "after": random.random() < 0.5}


def _call(random: Random) -> int:
    """Loads make some hundred calls. The last ones commit."""
    return random.randint(1, random.choice([40, 150, 300]))


def _event(random: Random, sources: Sequence[Bronze], tables: list[Derived]) -> list[Step]:
    some = random.choice([*sources, *tables])
    drawn = random.random()
    if drawn < 0.3:
        return _declaration_change(random, sources, tables)
    if drawn < 0.38:
        return [{"do": "rebuild", "table": some.name} | _killed(random, some.name)]
    if drawn < 0.5:
        return [{"do": "release", "table": some.name} | _killed(random, some.name)]
    if drawn < 0.6:
        return [
            random.choice(
                [
                    {"do": "sql", "table": some.name, "text": "OPTIMIZE {t}"},
                    {"do": "maintain", "table": some.name},
                ]
            )
        ]
    if drawn < 0.7:
        return [{"do": "restore", "table": some.name, "back": random.choice([1, 1, 2])}]
    if drawn < 0.74:
        return [{"do": "drop", "table": some.name}]
    if drawn < 0.77:
        return [{"do": "remove", "table": tables[-1].name}]
    changed: Any = random.choice(sources) if random.random() < 0.7 else some
    scope = [(quoted(name), kind) for name, kind in changed.relation.columns]
    condition = Grammar(random).condition(scope)
    name = random.choice(scope)[0]
    texts = [f"DELETE FROM {{t}} WHERE {condition}", f"DELETE FROM {{t}} WHERE {condition}"]
    texts.append(f"UPDATE {{t}} SET {name} = NULL WHERE {condition}")
    texts.append(f"INSERT INTO {{t}} SELECT * FROM {{t}} WHERE {condition}")
    return [{"do": "sql", "table": changed.name, "text": random.choice(texts)}]


def _killed(random: Random, table: str) -> Step:
    if random.random() > 0.25:
        return {}
    return {
        "interrupt": {"table": table, "what": "die", "call": _call(random), "after": random.random() < 0.5}
    }


def _declaration_change(random: Random, sources: Sequence[Bronze], tables: list[Derived]) -> list[Step]:
    if random.random() < 0.2:
        return _bronze_change(random, random.choice(sources))
    at = random.randrange(len(tables))
    table = tables[at]
    drawn = random.random()
    if drawn < 0.35:
        table.expectations = rules(random, table.columns, [source.relation for source in sources])
    elif drawn < 0.5 and table.extra.get("lookups"):
        table.extra = {key: value for key, value in table.extra.items() if key != "lookups"}
    elif drawn < 0.5 and table.extra.get("on_removed"):
        table.extra = {}
    else:
        upstreams = [other.relation for other in (*sources, *tables[:at])]
        fresh = derived(random, table.name, upstreams)
        tables[at] = table = fresh
    return [{"do": "declare", "table": table.name, "as": asdict(table.declared)}]


def _bronze_change(random: Random, table: Bronze) -> list[Step]:
    """Other rules, a new column, a removed column, or another type. Existing files do not change."""
    drawn = random.random()
    steps: list[Step] = []
    names = [name for name, _ in table.chosen[1:]]
    if drawn < 0.45 or not names:
        found = rules(random, table.chosen, [], 2)
        table.expectations = [rule for rule in found if rule["otherwise"] != "fail"]
    elif drawn < 0.65 and table.format != "fixed_width":
        # Later files have the new column.
        table.columns.append((f"w{len(table.columns)}", random.choice(types_for(table.format))))
        table.extra["on_missing_column"] = "fill"
    elif drawn < 0.75 and table.format != "fixed_width":
        table.hidden.add(random.choice(names))
        table.extra["on_new_column"] = random.choice(["add", "ignore"])
    else:
        name = random.choice(names)
        table.untyped.discard(name)
        table.types[name] = random.choice(["string", "bigint", "decimal(38,18)", "double", "date"])
        steps = [{"do": "rebuild", "table": table.name}]
    declared: Step = {"do": "declare", "table": table.name, "as": asdict(table.declared)}
    if random.random() < 0.6:
        steps.append({"do": "release", "table": table.name})
    return [declared, *steps]
