"""Draws the tables of a case: bronze of every format, and derived tables of every load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from differential.case import Declared
from differential.queries import ODD_NAMES, Columns, Grammar, Made, Relation, quoted
from differential.rules import rules
from differential.values import KINDS, kind_of, types_for

NEWEST = ("int", "bigint", "date", "timestamp", "timestamp_ntz", "decimal(38,18)", "string", "double")


FORMATS = (*["csv"] * 5, *["json"] * 4, *["parquet"] * 2, "fixed_width")
MORE_FORMATS = ("csv", "json", *["avro"] * 5, *["xml"] * 5)
CHANGING_FORMATS = ("csv", "csv", "json", *["parquet"] * 4, "avro")
TYPED = ("parquet", "avro")
"""Formats whose files have types."""

INTERVAL = "_interval"
"""The column that a load by interval adds."""

OTHER_TYPES = {
    "smallint": ("int", "bigint"),
    "int": ("bigint", "bigint", "smallint", "string"),
    "bigint": ("int", "string"),
    "float": ("double",),
    "double": ("float", "string"),
    "decimal(9,2)": ("decimal(38,18)", "decimal(30,5)", "decimal(10,0)"),
    "decimal(10,0)": ("decimal(38,0)", "decimal(9,2)"),
    "date": ("timestamp_ntz", "string"),
    "timestamp": ("date",),
    "string": ("int", "date"),
    "boolean": ("string",),
}
"""Types that later files have instead of a type: wider, narrower and others."""

HISTORY = {"valid_from", "valid_to", "is_current"}
"""The columns that `scd2` adds."""


@dataclass
class Bronze:
    """A table of files. columns: of the files. options: of the reader.

    types: of columns declared as another type. hidden: undeclared columns of the files. untyped: columns declared without
    a type. extract: an extract copies the files. by_interval: it is asked for days.
    """

    name: str
    format: str
    options: dict[str, Any]
    columns: Columns
    expectations: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    untyped: set[str] = field(default_factory=set)
    extract: bool = False
    by_interval: bool = False

    @property
    def chosen(self) -> Columns:
        """The declared columns. Those without a type have the type of the first files."""
        declared = [(name, kind) for name, kind in self.columns if name not in self.hidden]
        return [(name, self.types.get(name, kind)) for name, kind in declared]

    @property
    def relation(self) -> Relation:
        return Relation(self.name, [*self.chosen, *([(INTERVAL, "date")] if self.by_interval else [])])

    @property
    def declared(self) -> Declared:
        short = self.name.split(".")[1]
        of_day = "_of_day" if self.by_interval else ""
        source = {
            **({"extract": f"copying:{short}{of_day}"} if self.extract else {"files": f"{short}/*"}),
            "format": self.format,
            "options": self.options,
            **self.extra.get("source", {}),
        }
        if not self.options:
            del source["options"]
        columns = {name: {} if name in self.untyped else kind for name, kind in self.chosen}
        yaml = {"source": source, "columns": columns}
        if self.by_interval:
            yaml["load"] = {"overwrite_partitions": {"by": INTERVAL}}
        yaml |= {key: value for key, value in self.extra.items() if key != "source"}
        if self.expectations:
            yaml["expectations"] = self.expectations
        return Declared(yaml)


@dataclass
class Derived:
    """A table of a query."""

    name: str
    made: Made
    load: Any
    expectations: list[dict[str, Any]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> Columns:
        return [(name, self.types.get(name, kind)) for name, kind in self.made.columns]

    @property
    def relation(self) -> Relation:
        return Relation(self.name, [*self.columns, *self.history])

    @property
    def history(self) -> Columns:
        """The columns that `scd2` adds."""
        if not isinstance(self.load, dict) or "scd2" not in self.load:
            return []
        first = self.load["scd2"]["sequence_by"][0].lower()
        [kind] = [kind for name, kind in self.columns if name.lower() == first]
        return [("valid_from", kind), ("valid_to", kind), ("is_current", "boolean")]

    @property
    def declared(self) -> Declared:
        yaml: dict[str, Any] = {"load": self.load}
        if self.load != "overwrite" and len(self.made.reads) > 1:
            yaml["changes_of"] = self.made.drivers
        yaml |= self.extra
        if self.types:
            yaml["columns"] = dict(self.types)
        if self.expectations:
            yaml["expectations"] = self.expectations
        first = Declared(yaml, self.made.sql)
        plain = {
            key: value for key, value in yaml.items() if key not in ("changes_of", "on_removed", "lookups")
        }
        every = ", ".join(
            f"CAST(NULL AS {kind or 'timestamp'}) AS {quoted(name)}" for name, kind in self.relation.columns
        )
        empty = Declared({"load": "overwrite"}, f"SELECT {every} FROM {self.made.drivers[0]} WHERE false")
        # Tables downstream of a history need its columns.
        same = [] if self.history else [Declared({**plain, "load": "overwrite"}, self.made.sql)]
        first.otherwise = [*same, empty]
        return first


def bronze(random: Random, name: str, formats: Sequence[str] = FORMATS, *, changing: bool = False) -> Bronze:
    """A table of files, with two to six columns. changing: mostly loaded by interval, or with columns without a type."""
    format_ = random.choice(list(formats))
    kinds = types_for(format_)
    groupable = [kind for kind in kinds if kind_of(kind).groupable]
    plain = [kind for kind in groupable if not kind_of(kind).nested]
    columns: Columns = [("k", random.choice(plain if random.random() < 0.8 else groupable))]
    columns.append(("g", random.choice(["int", "string", random.choice(groupable)])))
    if random.random() < 0.7:
        columns.append(("n", random.choice(["int", "int", random.choice(NEWEST)])))
    columns += [(f"v{at}", random.choice(kinds)) for at in range(random.choice([0, 1, 1, 2]))]
    if random.random() < 0.3:
        columns.append(("op", "string"))
    # Names of Avro and XML are words.
    most_odd = [0] if format_ in ("avro", "xml") else [0, 0, 0, 0, 1, 2]
    for odd in random.sample(ODD_NAMES, random.choice(most_odd)):
        at = random.randrange(len(columns))
        if odd.lower() not in {column.lower() for column, _ in columns}:
            columns[at] = (odd, columns[at][1])
    if random.random() < 0.04:
        # A NULL in a single column is an empty line.
        del columns[1:]
    options: dict[str, Any] = {}
    if format_ == "csv":
        options = dict(
            random.choice([{}, {}, {"sep": "\t"}, {"sep": ";"}, {"multiLine": True}, {"nullValue": "NA"}])
        )
    if format_ == "fixed_width":
        options = {"widths": [random.choice([1, 6, 12, 24, 40]) for _ in columns]}
    made = Bronze(name, format_, options, columns)
    made.expectations = [
        rule
        for rule in rules(random, columns, [], 1)
        if "exist_in" not in str(rule) and rule["otherwise"] != "fail"
    ]
    if random.random() < 0.15:
        made.extra["on_missing_column"] = "fill"
    if random.random() < 0.1:
        # The reader of typed files cannot distinguish copied rows from new ones.
        replaceable = format_ not in TYPED and not any("`" in column for column, _ in columns)
        policies = ["ignore", "replace"] if replaceable else ["ignore"]
        made.extra["source"] = {"on_replaced": random.choice(policies)}
    elif random.random() < 0.12 and format_ != "avro":
        made.extract = True
    if changing:
        _make_changing(random, made)
    return made


def _make_changing(random: Random, made: Bronze) -> None:
    if made.format in TYPED:
        made.untyped = {name for name, kind in made.columns if kind in OTHER_TYPES and random.random() < 0.7}
        if random.random() < 0.8:
            made.extra["on_widened_type"] = "widen"
        if random.random() < 0.5:
            made.extra["on_changed_type"] = "quarantine"
    elif random.random() < 0.8 and not any("`" in column for column, _ in made.columns):
        made.extract = made.by_interval = True
        made.extra.pop("source", None)


def derived(random: Random, name: str, upstreams: Sequence[Relation], *, want: str | None = None) -> Derived:
    """A table with a query over some of the upstreams. want: its load."""
    grammar = Grammar(random)
    driver = random.choice(upstreams)
    others = [relation for relation in upstreams if relation.name != driver.name]
    if random.random() < 0.15:
        others.append(driver)
    loads = ["append", "merge", "merge", "scd2", "overwrite", "overwrite_partitions", "overwrite_partitions"]
    load = want or random.choice(loads)
    made: Made | None = None
    if load in ("append", "merge", "scd2"):
        if len(upstreams) > 1 and random.random() < 0.3:
            other = random.choice([relation for relation in upstreams if relation.name != driver.name])
            made = grammar.united(driver, other, others)
        if made is None:
            made = grammar.any(driver, others) if random.random() < 0.1 else grammar.linear(driver, others)
    elif load == "overwrite":
        made = grammar.any(driver, others)
    else:
        made = grammar.any(driver, others) if random.random() < 0.1 else grammar.recomputable(driver, others)
    table = Derived(name, made, load)
    _declare_types(random, table)
    table.load = _arguments(random, load, table)
    if table.load == "overwrite" and load != "overwrite":
        table.made.drivers = [driver.name]
    table.expectations = rules(random, table.columns, upstreams)
    if load == "append" and random.random() < 0.15:
        table.extra["on_removed"] = "ignore"
    lookups = [other for other in made.reads if other not in made.drivers]
    if lookups and table.load != "overwrite" and random.random() < 0.2:
        table.extra["lookups"] = {random.choice(lookups): "as_loaded"}
    return table


def _declare_types(random: Random, table: Derived) -> None:
    """Sometimes declares a type that some values cannot be cast to."""
    for name, kind in table.made.columns:
        if kind_of(kind).nested or not kind or random.random() > 0.08:
            continue
        others = {"string": ["int", "date", "decimal(9,2)", "varchar(5)"], "bigint": ["int", "string"]}
        wanted = others.get(kind, ["string"] if kind not in ("binary", "string") else [])
        if wanted and kind in KINDS:
            table.types[name] = random.choice(wanted)


def _arguments(random: Random, load: str, table: Derived) -> Any:
    """The load with its columns; `overwrite` if no column is suitable."""
    fit = [name for name, kind in table.columns if kind_of(kind).groupable]
    if load in ("append", "overwrite"):
        return load
    if not fit:
        table.load = "overwrite"
        return "overwrite"
    if load == "overwrite_partitions":
        by = [name for name in table.made.by if name in fit] or fit[:1]
        return {load: {"by": _cased(random, by)}}
    key = random.sample(fit, min(len(fit), random.choice([1, 1, 1, 2])))
    if random.random() < 0.7 and fit[0] not in key:
        key[0] = fit[0]
    merge: dict[str, Any] = {"key": _cased(random, key)}
    ordered = [name for name in fit if name not in key]
    if ordered and random.random() < 0.8:
        preferred = [name for name in ordered if name == "n"] or ordered
        merge["newest_by"] = (
            random.sample(preferred, 1) if random.random() < 0.8 else random.sample(ordered, 1)
        )
    text = [name for name, kind in table.columns if kind == "string"]
    if random.random() < 0.3:
        if "op" in text:
            merge["delete_when"] = "op = 'D'"
        else:
            scope = [(quoted(name), kind) for name, kind in table.columns]
            merge["delete_when"] = Grammar(random).condition(scope)
    if load == "merge":
        return {load: merge}
    if not ordered or HISTORY & {name.lower() for name, _ in table.columns}:
        table.load = "overwrite"
        return "overwrite"
    return {load: _history(random, table, merge, ordered)}


def _history(random: Random, table: Derived, merge: dict[str, Any], ordered: list[str]) -> dict[str, Any]:
    """The arguments of `scd2`, from those of a merge with the same key. ordered: columns that may order changes."""
    made = {name: value for name, value in merge.items() if name != "newest_by"}
    made["sequence_by"] = merge.get("newest_by") or random.sample(ordered, 1)
    if random.random() < 0.3:
        made["sequence_by"] += random.sample(ordered, 1)
    made["sequence_by"] = list(dict.fromkeys(made["sequence_by"]))
    fixed = {name.lower() for name in (*made["key"], *made["sequence_by"])}
    others = [name for name, _ in table.columns if name.lower() not in fixed]
    if others and random.random() < 0.4:
        made["track"] = random.sample(others, random.randint(1, len(others)))
    if random.random() < 0.2:
        made["missing_means_deleted"] = True
    return made


def _cased(random: Random, names: list[str]) -> list[str]:
    """Names as in the query, and rarely in another case."""
    return [name.upper() if random.random() < 0.03 and name.isascii() else name for name in names]
