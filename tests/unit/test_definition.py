"""The definition of a table: its keys, compatible changes, and the spelling of its columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from goldsmith.errors import DeclarationErrors
from goldsmith.project.checks.project import declaration_notes
from goldsmith.project.expectations import Expectation
from goldsmith.project.loading import load_project
from goldsmith.project.loads import Load
from goldsmith.project.loads.merge import Merge
from goldsmith.project.loads.overwrite_partitions import OverwritePartitions
from goldsmith.project.models import Column, Metric, TableSpec
from goldsmith.project.pipelines import Project
from goldsmith.project.tables import Table

BRONZE = "source: {files: x/*.csv, format: csv}\n"
COLUMNS = "columns: {id: int, k: int, ts: timestamp}\n"
CONNECTIONS = (
    "profiles: {local: {connections: {s: {url: 'jdbc:sqlite:s'}, t: {url: 'jdbc:sqlite:t'}, "
    "b: {url: 's3://b'}, c: {url: 's3://c'}}}}\n"
)
QUERY = "SELECT id, k, ts FROM bronze.x"

Make = Callable[..., Table]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Reads the table `silver.t` of a small project, or `bronze.x`."""

    def read(
        yaml: str = "", query: str | None = QUERY, *, bronze: str = BRONZE + COLUMNS, of: str = "silver.t"
    ) -> Table:
        return project(tmp_path, yaml, query, bronze).tables[of]

    return read


def project(root: Path, yaml: str, query: str | None, bronze: str = BRONZE + COLUMNS) -> Project:
    folder = root / "pipelines/p"
    for path, text in {
        root / "goldsmith.yaml": CONNECTIONS,
        folder / "pipeline.yaml": "",
        folder / "bronze/x.yaml": bronze,
        folder / "bronze/y.yaml": BRONZE + "columns: {k: int, n: string}\n",
        folder / "m.py": "def f(): ...\ndef g(): ...\n",
        folder / "silver/t.yaml": yaml,
        folder / "silver/t.sql": query,
        folder / "silver/t.py": None if query is not None else "def transform(spark, tables): ...\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text, encoding="utf-8")
    return load_project(root)


JOINED = "SELECT x.id, x.k, x.ts, y.n FROM bronze.x LEFT JOIN bronze.y ON x.k = y.k"
MERGE = "load: {merge: {key: id}}\nchanges_of: bronze.x\n"
SCD2 = "load: {scd2: {key: id, sequence_by: ts}}\nchanges_of: bronze.x\n"
RULE = "expectations:\n  - {condition: k > 0, name: positive, otherwise: quarantine}\n"

WRITTEN: dict[str, tuple[str, str]] = {
    "Column.format": ("{type: date, format: yyyyMMdd}", "{type: date, format: ddMMyyyy}"),
    "Column.decimal": ("double", "{type: double, decimal: ','}"),
    "Column.thousands": ("double", "{type: double, thousands: ','}"),
    "Column.timezone": ("timestamp", "{type: timestamp, timezone: Asia/Tokyo}"),
    "Column.nulls": ("int", "{type: int, nulls: NA}"),
}
"""Keys of a bronze table's column."""

DECIDES: dict[str, tuple[str, str]] = {
    "TableSpec.source": ("", BRONZE.replace("x/*", "z/*")),
    "TableSpec.columns": ("", "columns: {id: bigint}\n"),
    "TableSpec.load": ("", MERGE),
    "TableSpec.changes_of": (
        "load: append\nchanges_of: [bronze.x, bronze.y]\n",
        "load: append\nchanges_of: [bronze.y, bronze.x]\n",
    ),
    "TableSpec.lookups": (MERGE + "lookups: {bronze.y: as_loaded}\n", MERGE),
    "TableSpec.on_removed": (
        "load: append\nchanges_of: bronze.x\non_removed: ignore\n",
        "load: append\nchanges_of: bronze.x\n",
    ),
    "TableSpec.expectations": ("", RULE),
    **WRITTEN,
    "Column.type": ("columns: {id: int}\n", "columns: {id: bigint}\n"),
    "FilesSource.files": (BRONZE, BRONZE.replace("x/*", "z/*")),
    "FilesSource.format": (BRONZE, BRONZE.replace("format: csv", "format: json")),
    "FilesSource.options": (BRONZE, BRONZE.replace("csv}", "csv, options: {sep: ;}}")),
    "FilesSource.on_replaced": (BRONZE, BRONZE.replace("csv}", "csv, on_replaced: ignore}")),
    **{
        f"ExtractSource.{key}": (
            "source: {extract: 'm:f', format: csv}\n",
            f"source: {{extract: 'm:{function}', format: {form}{options}}}\n",
        )
        for key, function, form, options in (
            ("extract", "g", "csv", ""),
            ("format", "f", "json", ""),
            ("options", "f", "csv", ", options: {sep: ;}"),
        )
    },
    **{
        f"JdbcSource.{key}": (
            f"source: {{jdbc: s, {before}}}\n",
            f"source: {{jdbc: {'t' if key == 'jdbc' else 's'}, {after}}}\n",
        )
        for key, before, after in (
            ("jdbc", "table: a, key: k", "table: a, key: k"),
            ("table", "table: a, key: k", "table: b, key: k"),
            ("query", "query: SELECT 1, key: k", "query: SELECT 2, key: k"),
            ("key", "table: a, key: k", "table: a, key: [k, l]"),
            ("cursor", "table: a, key: k", "table: a, key: k, cursor: c"),
            ("overlap", "table: a, cursor: c", "table: a, cursor: c, overlap: 2"),
            ("deletes", "table: a, key: k", "table: a, key: k, deletes: true"),
            ("split_by", "table: a, key: k", "table: a, key: k, split_by: k"),
            ("parallel", "table: a, key: k, split_by: k", "table: a, key: k, split_by: k, parallel: 2"),
        )
    },
    **{
        f"S3Source.{key}": ("source: {s3: b, files: a, format: csv}\n", f"source: {{{after}}}\n")
        for key, after in (
            ("s3", "s3: c, files: a, format: csv"),
            ("files", "s3: b, files: b, format: csv"),
            ("format", "s3: b, files: a, format: json"),
            ("options", "s3: b, files: a, format: csv, options: {sep: ;}"),
            ("on_replaced", "s3: b, files: a, format: csv, on_replaced: ignore"),
        )
    },
    "Append.kind": ("load: append\nchanges_of: bronze.x\n", MERGE),
    "Merge.kind": (MERGE, "load: overwrite\n"),
    "Merge.key": (MERGE, MERGE.replace("id", "k")),
    "Merge.newest_by": (MERGE, MERGE.replace("id", "id, newest_by: ts")),
    "Merge.delete_when": (MERGE, MERGE.replace("id", "id, delete_when: k = 0")),
    "Scd2.kind": (SCD2, MERGE),
    "Scd2.key": (SCD2, SCD2.replace("key: id", "key: k")),
    "Scd2.sequence_by": (SCD2, SCD2.replace("sequence_by: ts", "sequence_by: [ts, k]")),
    "Scd2.track": (SCD2, SCD2.replace("}}", ", track: k}}")),
    "Scd2.delete_when": (SCD2, SCD2.replace("}}", ", delete_when: k = 0}}")),
    "Scd2.missing_means_deleted": (SCD2, SCD2.replace("}}", ", missing_means_deleted: true}}")),
    "Overwrite.kind": ("load: overwrite\n", MERGE),
    "OverwritePartitions.kind": (
        "load: {overwrite_partitions: {by: k}}\nchanges_of: bronze.x\n",
        "load: overwrite\n",
    ),
    "OverwritePartitions.by": (
        "load: {overwrite_partitions: {by: k}}\nchanges_of: bronze.x\n",
        "load: {overwrite_partitions: {by: id}}\nchanges_of: bronze.x\n",
    ),
    "Expectation.kind": (
        RULE,
        RULE.replace("condition: k > 0", "expect_column_values_to_not_be_null: {column: k}"),
    ),
    "Expectation.arguments": (RULE, RULE.replace("k > 0", "k > 1")),
    "Expectation.otherwise": (RULE, RULE.replace("quarantine", "drop")),
    "Expectation.ignore_nulls": (RULE, RULE.replace("otherwise", "ignore_nulls: true, otherwise")),
}
"""Keys that decide a table's content, each with two incompatible declarations."""

_BRONZE = "applies to later files only; bronze is never rebuilt automatically"
_WORDS = "documentation"
_ELSEWHERE = "does not affect rows"
CANNOT = {
    "TableSpec.description": _WORDS,
    "TableSpec.owner": _WORDS,
    "TableSpec.tags": _WORDS,
    "TableSpec.reads": "planning compares consumed versions with the upstreams, and rebuilds on a difference",
    "TableSpec.on_new_column": _BRONZE,
    "TableSpec.on_missing_column": _BRONZE,
    "TableSpec.on_widened_type": _BRONZE,
    "TableSpec.on_changed_type": _BRONZE,
    "TableSpec.incremental": "refuses declarations and loads",
    "TableSpec.on_definition_change": "decides the effect of the other keys' changes",
    "TableSpec.max_quarantined": "stops or warns",
    "TableSpec.fresh_within": _ELSEWHERE,
    "QuarantineLimit.share": "stops or warns",
    "QuarantineLimit.rows": "stops or warns",
    "QuarantineLimit.otherwise": "stops or warns",
    "TableSpec.gate": _ELSEWHERE,
    "TableSpec.metrics": _ELSEWHERE,
    "TableSpec.cluster_by": "layout of files",
    "TableSpec.properties": "settings of Delta",
    "Column.description": _WORDS,
    "Expectation.name": _WORDS,
    "Expectation.description": _WORDS,
    "Metric.expression": _ELSEWHERE,
    "Metric.label": _WORDS,
    "Metric.description": _WORDS,
    "Metric.format": _WORDS,
}
"""Keys that cannot change a table's content, and why."""


def keys_of(model: type[BaseModel]) -> set[str]:
    """All keys of a model and of its nested models."""
    found = {f"{model.__name__}.{name}" for name in model.model_fields}
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            found |= keys_of(inner)
    return found


def models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in models_in(part)]


def test_every_key_is_part_of_the_definition_or_cannot_change_content() -> None:
    keys = keys_of(TableSpec) | keys_of(Expectation)
    assert {"Merge.key", "Column.type", "Expectation.arguments"} <= keys
    assert keys == DECIDES.keys() | CANNOT.keys()
    assert not DECIDES.keys() & CANNOT.keys()
    assert {Merge, OverwritePartitions} < set(models_in(Load))
    assert {Column, Metric} < set(models_in(TableSpec.model_fields["columns"].annotation)) | {
        Column,
        Metric,
        Load,
    }


@pytest.mark.parametrize("key", DECIDES)
def test_changed_key_does_not_continue_the_former_definition(make: Make, key: str) -> None:
    before, after = DECIDES[key]
    if key in WRITTEN:
        columns = (f"columns: {{id: int, k: {text}, ts: timestamp}}\n" for text in (before, after))
        first, second = (make(bronze=BRONZE + text, of="bronze.x") for text in columns)
    elif (
        key.startswith(("FilesSource", "ExtractSource", "JdbcSource", "S3Source"))
        or key == "TableSpec.source"
    ):
        first, second = (make(bronze=text + COLUMNS, of="bronze.x") for text in (before or BRONZE, after))
    else:
        union = "SELECT id, k, ts, 'x' AS n FROM bronze.x UNION ALL SELECT k, k, NULL, n FROM bronze.y"
        query = union if key == "TableSpec.changes_of" else JOINED
        if "load" not in before and "load" not in after:
            query = QUERY
        first, second = make(before, query), make(after, query)
    assert first.continues(first.definition)
    assert not second.continues(first.definition)


def test_added_exception_causes_no_rebuild(make: Make) -> None:
    strict = make(MERGE, JOINED)
    loose = make(MERGE + "lookups: {bronze.y: as_loaded}\n", JOINED)
    assert strict.definition.isalnum(), "tables without exceptions keep the hash that they had"
    assert loose.continues(strict.definition)
    assert not strict.continues(loose.definition)
    append = "load: append\nchanges_of: bronze.x\n"
    assert make(append + "on_removed: ignore\n", JOINED).continues(make(append, JOINED).definition)


@pytest.mark.parametrize(
    ("yaml", "query"),
    [
        ("load: {merge: {key: [ID], newest_by: Ts}}\ncluster_by: K\n", QUERY),
        ("load: {overwrite_partitions: {by: [ID, Ts]}}\ncluster_by: [K]\n", QUERY),
        ("columns: {ID: {description: The order.}, TS: timestamp}\nfresh_within: {tS: 3h}\n", QUERY),
        ("load: {merge: {key: id, newest_by: ts}}\n", "SELECT ID, K, Ts FROM bronze.x"),
    ],
)
def test_columns_are_spelt_as_in_the_query(make: Make, yaml: str, query: str) -> None:
    table = make(yaml, query)
    assert table.columns is not None
    spec = table.spec
    named = [
        *spec.cluster_by,
        *spec.columns,
        *(spec.fresh_within if isinstance(spec.fresh_within, dict) else ()),
    ]
    if isinstance(spec.load, Merge):
        named += [*spec.load.key, *spec.load.newest_by]
    if isinstance(spec.load, OverwritePartitions):
        named += spec.load.by
    assert set(named) <= set(table.columns)


def test_spelling_does_not_change_the_definition(make: Make) -> None:
    table = make("load: {merge: {key: ID}}\n")
    assert table.spec.load == Merge(key=("id",))
    assert table.definition == table.resolved(["iD", "k"]).definition


def test_columns_unknown_before_a_run_are_spelt_by_the_run(make: Make) -> None:
    table = make("load: {merge: {key: ID}}\n", "SELECT * FROM bronze.x", bronze=BRONZE)
    assert table.columns is None
    assert table.resolved(["Id", "k"]).load == Merge(key=("Id",))


def test_reference_to_the_driving_table_gives_a_note(tmp_path: Path) -> None:
    rule = "expectations:\n  - {expect_column_values_to_exist_in: {column: k, table: bronze.x, key: id}, otherwise: drop}\n"
    (note,) = declaration_notes(project(tmp_path, "load: append\n" + rule, QUERY))
    assert note == (
        "silver.t",
        "every change of bronze.x rebuilds the table: an expectation drops or quarantines rows by it",
    )
    assert declaration_notes(project(tmp_path, "load: append\n" + rule.replace("drop", "warn"), QUERY)) == []


def test_reference_to_the_table_itself_is_refused(tmp_path: Path) -> None:
    rule = "expectations:\n  - {expect_column_values_to_exist_in: {column: k, table: silver.t, key: id}, otherwise: drop}\n"
    with pytest.raises(DeclarationErrors) as found:
        project(tmp_path, "load: append\n" + rule, QUERY)
    assert [problem.code for problem in found.value.problems] == ["GS107"]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("ts > 'today'", "GS205"),
        ("ts > CAST('now' AS timestamp)", "GS205"),
        ("unix_timestamp(/**/) > 0", "GS205"),
        ("any_value(k) > 0", "GS110"),
        ("k IN (SELECT k FROM bronze.x)", "GS110"),
        ("EXISTS (SELECT 1 FROM bronze.x)", "GS110"),
        ("n = 'today'", None),
    ],
)
def test_conditions_on_the_run_time_or_other_rows_are_refused(
    tmp_path: Path, condition: str, code: str | None
) -> None:
    columns = "columns: {n: string, ts: timestamp}\n"
    query = "SELECT k, ts, CAST(id AS string) AS n FROM bronze.x"
    for yaml in (
        f'load: append\n{columns}expectations:\n  - {{condition: "{condition}", name: a, otherwise: drop}}\n',
        f'{columns}load: {{merge: {{key: k, delete_when: "{condition}"}}}}\n',
    ):
        if code is None:
            project(tmp_path, yaml, query)
            continue
        with pytest.raises(DeclarationErrors) as found:
            project(tmp_path, yaml, query)
        assert [problem.code for problem in found.value.problems] == [code]
