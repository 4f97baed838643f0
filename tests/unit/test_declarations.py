"""Errors in declarations: code, location, message and hint."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from goldsmith.errors import CODES, DeclarationError, DeclarationErrors
from goldsmith.project.loading import find_root, load_project
from goldsmith.quality.checking import check_expectations

ROOT = "goldsmith.yaml"
PIPELINE = "pipelines/p/pipeline.yaml"
BRONZE = "pipelines/p/bronze/orders.yaml"
YAML = "pipelines/p/silver/sales.yaml"
SQL = "pipelines/p/silver/sales.sql"
PYTHON = "pipelines/p/silver/sales.py"
SOURCE = "source: {files: orders/*.csv, format: csv}\n"
COLUMNS = "columns: {id: int, amount: int, day: date, name: string}\n"
QUERY = "SELECT id, amount, day, name\nFROM bronze.orders\n"

Problems = Callable[[dict[str, str | bytes | None]], tuple[DeclarationError, ...]]


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """The mistakes in a small valid project with some files changed or removed (None)."""

    def load(changed: dict[str, str | bytes | None]) -> tuple[DeclarationError, ...]:
        files: dict[str, str | bytes | None] = {
            ROOT: "name: test\n",
            PIPELINE: "",
            BRONZE: SOURCE + COLUMNS,
            YAML: "description: Sales.\n",
            SQL: QUERY,
        }
        for path, content in {**files, **changed}.items():
            if content is not None:
                file = tmp_path / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content if isinstance(content, bytes) else content.encode())
        try:
            load_project(tmp_path, (check_expectations,))
        except DeclarationErrors as found:
            for problem in found.problems:
                assert problem.code in CODES
                assert problem.message[0] != " "
                assert "pydantic" not in f"{problem.message}{problem.hint}"
            return found.problems
        return ()

    return load


def reported(problem: DeclarationError, root: Path) -> tuple[str, str, int | None]:
    return problem.code, Path(str(problem.where.file)).relative_to(root).as_posix(), problem.where.line


def expect(argument: str, otherwise: str = "warn") -> str:
    return f"expectations:\n  - {argument}\n    otherwise: {otherwise}\n"


BETWEEN = "expect_column_values_to_be_between"
NOT_NULL = "expect_column_values_to_not_be_null"

ONE_MISTAKE = [
    # invalid YAML
    (YAML, "load: {merge: {key: [id]}\ncolumns: x\n", "GS101", 2, "not YAML", "bracket"),
    (YAML, "load:\n\tmerge: x\n", "GS101", 2, "not YAML", "tabs"),
    (YAML, 'owner: a\ndescription: "b\nload: merge\n', "GS101", 4, "begins on line 2", "quote"),
    (YAML, "description: a: b\n", "GS101", 1, "not YAML", "in quotes"),
    (YAML, "owner: a\ndescription: größe\n".encode("latin-1"), "GS101", 2, "UTF-8", "UTF-8"),
    (YAML, "owner: !x y\n", "GS101", 1, "tag `!x`", "quotes"),
    (YAML, "owner: *x\n", "GS101", 1, "alias", "quotes"),
    (YAML, "tags: &x [*x]\n", "GS101", 1, "refers to itself", None),
    (YAML, "owner: a\n---\nowner: b\n", "GS101", 2, "another document", "---"),
    (YAML, "- a\n", "GS103", 1, "not a mapping", "key: value"),
    (YAML, "hello\n", "GS103", 1, "not a mapping", "key: value"),
    (YAML, "owner: 2013-02-30\n", "GS103", 1, "2013-02-30", "quotes"),
    (ROOT, "name: [\n", "GS101", 2, "not YAML", "bracket"),
    # keys written twice
    (YAML, "owner: a\ntags: b\nowner: c\n", "GS105", 3, "`owner` is written twice, first on line 1", "Keep"),
    (YAML, "columns:\n  id: {description: a}\n  id: {}\n", "GS105", 3, "`id` is written twice", "Keep"),
    (BRONZE, f"{SOURCE}columns: {{id: int, ID: int, amount: int, day: date, name: string}}\n", "GS105", 2,
     "case-insensitive", "Keep"),
    # unknown keys at each level
    (YAML, "owner: a\ndescripton: b\n", "GS102", 2, "`descripton`", "`description`"),
    (YAML, "zzz: 1\n", "GS102", 1, "`zzz`", "changes_of, cluster_by, columns"),
    (YAML, "load:\n  merge: {key: id, newst_by: day}\n", "GS102", 2, "`newst_by`", "`newest_by`"),
    (YAML, expect(f"{NOT_NULL}: {{column: id}}\n    otherwize: warn"), "GS102", 3, "`otherwize`", "`otherwise`"),
    (YAML, "columns:\n  id: {descripton: x}\n", "GS102", 2, "`descripton`", "`description`"),
    (BRONZE, SOURCE.replace("}", ", on_replacd: load}") + COLUMNS, "GS102", 1, "`on_replacd`", "`on_replaced`"),
    (PIPELINE, "owner: a\nschedul: x\n", "GS102", 2, "`schedul`", "`schedule`"),
    (ROOT, "pipelins: x\n", "GS102", 1, "`pipelins`", "`pipelines`"),
    (ROOT, "profiles:\n  local: {warehous: x}\n", "GS102", 2, "`warehous`", "`warehouse`"),
    (ROOT, "profiles:\n  local:\n    spark: {mastr: x}\n", "GS102", 3, "`mastr`", "`master`"),
    # missing keys
    (BRONZE, COLUMNS, "GS104", 1, "needs a `source`", "source: {files"),
    (BRONZE, "source: {files: orders/*.csv}\n" + COLUMNS, "GS104", 1, "`format` is missing in `source`", "csv"),
    (YAML, "load: merge\n", "GS104", 1, "`key` is missing in `load`", "{merge: {key"),
    (YAML, "load: {overwrite_partitions: {}}\n", "GS104", 1, "`by` is missing", "{by: [day]}"),
    (BRONZE, SOURCE.replace("}", ", options: {header: false}}"), "GS104", 1, "need `columns`", "columns: {"),
    # wrong types and values
    (YAML, "description: 3\n", "GS103", 1, "`description` takes text, not `3`", "quotes"),
    (YAML, "owner: [a]\n", "GS103", 1, "`owner` takes text, not a list", None),
    (YAML, "tags: {a: 1}\n", "GS103", 1, "`tags` takes a list, not a mapping", None),
    (YAML, "load: 3\n", "GS103", 1, "`load` takes a mapping", "{merge: {key"),
    (YAML, "load: [merge]\n", "GS103", 1, "`load` takes a mapping", "{merge: {key"),
    (YAML, "load: {merge: id}\n", "GS103", 1, "`merge` takes a mapping", "{merge: {key"),
    (YAML, "load: {merge: {key: []}}\n", "GS103", 1, "at least 1", "{key: [id]}"),
    (YAML, "load: {append: {}, merge: {key: id}}\n", "GS103", 1, "one load, not 2", "load:"),
    (YAML, "load: mrege\n", "GS103", 1, "`mrege` is not a load", "`merge`"),
    (YAML, "load:\n  mrege: {key: id}\n", "GS103", 1, "`mrege` is not a load", "`merge`"),
    (YAML, "cluster_by: [id, id, id, id, id]\n", "GS103", 1, "at most 4", None),
    # values not comparable with the column's type
    (BRONZE, SOURCE + COLUMNS + expect(f"{BETWEEN}: {{column: day, min_value: 4}}"), "GS103", 4,
     "4 cannot be compared with `day` (date)", None),
    (BRONZE, SOURCE + COLUMNS + expect("expect_column_values_to_be_in_set: {column: name, value_set: [true]}"),
     "GS103", 4, "True cannot be compared with `name` (string)", "Put the value in quotes"),
    (BRONZE, SOURCE + COLUMNS + expect("expect_column_mean_to_be_between: {column: name, max_value: 2}"),
     "GS103", 4, "different types", "Declare the column's type"),
    (YAML, "properties:\n  delta.x: true\n", "GS103", 2, "takes text, not `true`", "quotes"),
    (YAML, "lookups: [bronze.orders]\n", "GS103", 1, "`lookups` takes a mapping", None),
    (BRONZE, "source: orders/*.csv\n" + COLUMNS, "GS103", 1, "`source` takes a mapping", "files:"),
    (BRONZE, SOURCE.replace(" csv", " cvs") + COLUMNS, "GS103", 1, "cannot be `cvs`", "`csv`"),
    (BRONZE, SOURCE.replace("}", ", options: {sep: [a]}}") + COLUMNS, "GS103", 1, "takes text, not", None),
    (BRONZE, SOURCE + COLUMNS + "on_new_column: ad\n", "GS103", 3, "cannot be `ad`", "`add`"),
    (BRONZE, SOURCE + COLUMNS + "on_widened_type: widen\n", "GS110", 3, "only Parquet and Avro files bring types", "Remove it"),
    (YAML, "on_changed_type: quarantine\n", "GS110", 1, "is for bronze tables only", "Remove it"),
    (BRONZE, SOURCE + "columns: [id]\n", "GS103", 2, "`columns` takes a mapping", "columns: {id: int"),
    (BRONZE, SOURCE + COLUMNS.replace("id: int", "id: "), "GS103", 2, "not nothing", "`id: int`"),
    (BRONZE, SOURCE + COLUMNS.replace("id: int", "id: 3"), "GS103", 2, "`columns.id`", "`id: int`"),
    (BRONZE, SOURCE + COLUMNS.replace("id: int", "id: integr"), "GS103", 2, "`integr` is not a type", "`integer`"),
    (BRONZE, SOURCE + COLUMNS.replace("id: int", "id: text"), "GS103", 2, "`text` is not a type", "`string`"),
    (BRONZE, SOURCE + COLUMNS.replace("id: int", "id: 'decimal(9,2'"), "GS103", 2, "too early", "decimal(9,2)"),
    (PIPELINE, "start_date: tomorrow\n", "GS103", 1, "takes a date", None),
    (ROOT, "profiles: {local: {parallel: 0}}\n", "GS103", 1, "must be at least 1", None),
    # names of tables, files and folders
    (ROOT, "profile: locl\n", "GS108", 1, "`locl`", "`local`"),
    (ROOT, "pipelines: pipes\n", "GS109", 1, "`pipes`", "set `pipelines: pipelines`"),
    (BRONZE, SOURCE + "columns: {id: int, amount: decimal(9,2), day: date, name: string}\n", "GS103", 2,
     "`2)` is the end of a type that a comma cuts in two", "in quotes"),
    (BRONZE, SOURCE + "columns: {id: int, amount: 'map<int,int>', day: map<int,date>, name: string}\n", "GS103", 2,
     "`date>` is the end of a type", "in quotes"),
    # what other tools accept
    (SQL, 'SELECT id\nFROM {{ ref("orders") }}\n', "GS201", 2, "not a template", "table's full name"),
    (SQL, "{% set x = 1 %}\nSELECT id FROM bronze.orders\n", "GS201", 1, "not a template", "table's full name"),
    (SQL, "SELECT id,\n ifnul(amount, 0) AS a FROM bronze.orders", "GS208", 2, "no function `ifnul`", "`ifnull`"),
    (SQL, "SELECT iff(id > 1, 1, 0) AS a FROM bronze.orders", "GS208", 1, "no function `iff`", "`if`"),
    (SQL, "SELECT safe_divide(id, 2) AS a FROM bronze.orders", "GS208", 1, "`safe_divide`", "`try_divide`"),
    (SQL, "SELECT my_own(id) AS a FROM bronze.orders", "GS208", 1, "no function `my_own`", "`default.my_own(...)`"),
    (YAML, "expectations: [{condition: 'ifnul(id, 1) > 0', name: x}]\n", "GS208", 1, "`ifnul`", "`ifnull`"),
    (PIPELINE, None, "GS109", None, "needs a `pipeline.yaml`", "Create it"),
    ("pipelines/p/sliver/x.yaml", "", "GS109", None, "`sliver` is not a layer", "`silver`"),
    ("pipelines/p/silver/x.yml", "", "GS109", None, "end in `.yaml`", "x.yaml"),
    ("pipelines/p/x.yaml", "", "GS109", None, "x.yaml is not in a layer", "silver/"),
    ("pipelines/p/bronze/Orders-2.yaml", SOURCE, "GS109", None, "`Orders-2` is not a valid name", "lower-case"),
    ("pipelines/p/bronze/orders.sql", "SELECT 1", "GS106", None, "never run", "silver"),
    ("pipelines/p/silver/sale.sql", "SELECT 1", "GS106", None, "no YAML declaration", "`sales`"),
    (SQL, None, "GS106", 1, "sales.sql or sales.py", "beside sales.yaml"),
    (PYTHON, "def transform(spark, tables): ...", "GS106", 1, "both sales.sql and sales.py", "Keep one"),
    # SQL
    (SQL, "SELECT id,\n  FROM WHERE bronze.orders\n", "GS201", 2, "`WHERE`", None),
    (SQL, "", "GS201", 1, "SQL is empty", "SELECT"),
    (SQL, "SELECT id\nFROM bronze.orders;\nSELECT 2", "GS201", 3, "second statement", "one SELECT"),
    (SQL, "SELECT id -- für\nFROM bronze.orders".encode("latin-1"), "GS201", 1, "UTF-8", "UTF-8"),
    (SQL, "SELECT id\nFROM bronze.order", "GS202", 2, "`bronze.order`", "`bronze.orders`"),
    (SQL, "SELECT id\nFROM orders", "GS202", 2, "`orders`", "layer"),
    (SQL, "SELECT id,\n  amuont FROM bronze.orders", "GS203", 2, "`amuont`", "`amount`"),
    (SQL, "SELECT id,\n now() AS at FROM bronze.orders", "GS205", 2, "`now`", "column"),
    # missing columns
    (YAML, "load: {merge: {key: [id, nam]}}\n", "GS203", 1, "no column `nam`", "`name`"),
    (YAML, "load:\n  merge:\n    key: id\n    newest_by: dy\n", "GS203", 4, "no column `dy`", "`day`"),
    (YAML, "load:\n  merge:\n    key: id\n    delete_when: nme = 'x'\n", "GS203", 4, "`nme`", "`name`"),
    (YAML, "load:\n  scd2:\n    key: id\n    sequence_by: dy\n", "GS203", 4, "no column `dy`", "`day`"),
    (YAML, "load: {scd2: {key: id}}\n", "GS104", 1, "`sequence_by`", None),
    (YAML, "load: {scd2: {key: id, sequence_by: day, track: Day}}\n", "GS103", 1, "`track` names `Day`", None),
    (YAML, "load:\n  scd2:\n    key: id\n    sequence_by: valid_from\n", "GS203", 4, "`valid_from`", None),
    (YAML, "load: {scd2: {key: id, sequence_by: day}}\ncolumns:\n  valid_to: {type: date}\n", "GS110", 3,
     "`valid_to` cannot have a declared type", "Remove"),
    (YAML, f"load: {{scd2: {{key: id, sequence_by: day}}}}\n{expect(f'{NOT_NULL}: {{column: valid_from}}')}", "GS203", 3,
     "`valid_from`", None),
    (YAML, "load: {overwrite_partitions: {by: dayy}}\n", "GS203", 1, "`dayy`", "`day`"),
    (YAML, "cluster_by: dya\n", "GS203", 1, "`dya`", "`day`"),
    (YAML, "columns:\n  id: int\n  amuont: int\n", "GS203", 3, "`amuont`", "`amount`"),
    (YAML, expect(f"{NOT_NULL}: {{column: nam}}"), "GS203", 2, "`nam`", "`name`"),
    # expectations
    (YAML, expect(f"{NOT_NULL[:-1]}: {{column: id}}"), "GS102", 2, f"`{NOT_NULL[:-1]}`", f"`{NOT_NULL}`"),
    (YAML, expect(f"{BETWEEN}: {{column: id, max_value: 2, min_valu: 1}}"), "GS102", 2, "`min_valu`", "`min_value`"),
    (YAML, expect(f"{BETWEEN}: {{column: id, min_value: true}}"), "GS103", 2, "not True", None),
    (YAML, expect(f"{BETWEEN}: {{column: id}}"), "GS104", 2, "`min_value` or `max_value`", None),
    (YAML, expect(f"{BETWEEN}: {{column: id, min_value: 2, max_value: 1}}"), "GS110", 2, "greater", None),
    (YAML, expect(f"{NOT_NULL}: {{}}"), "GS104", 2, "lacks `column`", "column"),
    (YAML, expect(NOT_NULL + ": id"), "GS103", 2, "mapping", "{column: id}"),
    (YAML, f"expectations:\n  - {NOT_NULL}\n", "GS103", 2, "mapping", "{column: id}"),
    (YAML, f"expectations:\n  {NOT_NULL}: {{column: id}}\n", "GS103", 1, "takes a list", "{column: id}"),
    (YAML, "expectations:\n  - otherwise: warn\n", "GS103", 2, "condition: SQL", "{column: id}"),
    (YAML, expect(f"{NOT_NULL}: {{column: id}}", "quarentine"), "GS103", 3, "`otherwise` cannot be", "`quarantine`"),
    (YAML, expect("expect_column_values_to_be_unique: {column: id}", "drop"), "GS110", 2, "batch", "warn"),
    (YAML, expect(f"{NOT_NULL}: {{column: id, mostly: 0.9}}", "quarantine"), "GS110", 2, "mostly", "warn"),
    (YAML, expect("condition: id > 1"), "GS103", 2, "needs a `name`", None),
    (YAML, expect("name: x\n    condition: id >"), "GS201", 3, "In `x`: this SQL does not parse", None),
    (YAML, expect("name: x\n    condition: idd > 1"), "GS203", 3, "`idd`", "`id`"),
    (YAML, expect("name: x\n    condition: count(*) > 1"), "GS110", 3, "`count`", "loaded together"),
    (YAML, expect("name: x\n    condition: id > rand()"), "GS205", 3, "`rand`", "rebuild"),
    (YAML, f"expectations:\n  - {NOT_NULL}: {{column: id}}\n  - {NOT_NULL}: {{column: id}}\n", "GS105", 3,
     "`id_to_not_be_null`", "`name`"),
    (YAML, expect("expect_column_values_to_exist_in: {column: id, table: bronze.ordrs}"), "GS108", 2,
     "`bronze.ordrs`", "`bronze.orders`"),
    (YAML, expect("expect_column_values_to_exist_in: {column: id, table: bronze.orders, key: idd}"), "GS203", 2,
     "`bronze.orders` has no column `idd`", "`id`"),
    (BRONZE, SOURCE.replace("}", ", on_replaced: replace}") + COLUMNS.replace("}", ", 'a`b': int}"), "GS110", 2,
     "backtick", "on_replaced"),
    # databases
    (BRONZE, "source: {jdbc: shop, table: a, key: id}\n", "GS108", 1, "No profile declares a connection `shop`", "jdbc:..."),
    (BRONZE, "source: {jdbc: shop, key: id}\n", "GS103", 1, "`table` or by `query`", None),
    (BRONZE, "source: {jdbc: shop, table: a}\n", "GS103", 1, "needs `key` or `cursor`", None),
    (BRONZE, "source: {jdbc: shop, table: a, cursor: c, overlap: ten}\n", "GS103", 1, "`ten` is not a length", None),
    (BRONZE, "source: {jdbc: shop, table: a, cursor: c, deletes: true}\n", "GS103", 1, "`deletes` needs `key`", None),
    (BRONZE, "source: {extract: 'f:g', format: csv, jdbc: s}\n", "GS102", 1, "`jdbc`", None),
    (BRONZE, "source: {files: a/*.csv, s3: b, format: csv}\n", "GS108", 1, "No profile declares a connection `b`", "s3://..."),
    (BRONZE, "source: {s3: b, files: ../a, format: csv}\n", "GS103", 1, "below the connection's `url`", None),
    (BRONZE, "source: {s3: b, format: csv}\n", "GS104", 1, "`files`", None),
    (ROOT, "profiles: {local: {connections: {a: {url: 's3://'}}}}\n", "GS103", 1, "s3://bucket", None),
    (ROOT, "profiles: {local: {connections: {a: {url: 's3://b', user: k}}}}\n", "GS103", 1, "or neither", None),
    (ROOT, "profiles: {local: {connections: {a: {url: 'jdbc:mariadb://h/d'}}}}\n", "GS103", 1, "begins with `jdbc:mysql:`", None),
    (ROOT, "profiles: {local: {connections: {a: {url: 'jdbc:sqlite:x', region: r}}}}\n", "GS103", 1, "for buckets", None),
    (ROOT, "profiles: {local: {connections: {a: {url: 'postgresql://x'}}}}\n", "GS103", 1, "begins with `jdbc:`", None),
    (ROOT, "profiles: {local: {connections: {a: {url: 'jdbc:postgresql://u:p@x/y'}}}}\n", "GS103", 1, "no password", None),
    (ROOT, "profiles: {local: {connections: {a: {url: 'jdbc:sqlite:x', password: secret}}}}\n", "GS103", 1,
     "names an environment variable", None),
    # contradictions
    (YAML, SOURCE, "GS110", 1, "Only bronze tables", "bronze table"),
    (YAML, "on_new_column: add\n", "GS110", 1, "bronze tables only", "Remove"),
    (YAML, "reads: bronze.orders\n", "GS110", 1, "Python tables", "Remove"),
    (YAML, "changes_of: bronze.other\n", "GS110", 1, "does not read", "`bronze.orders`"),
    (YAML, "load: {merge: {key: id}}\nlookups:\n  bronze.orders: as_loaded\n", "GS110", 3, "drives", "Remove"),
    (BRONZE, f"{SOURCE}{COLUMNS}load: {{merge: {{key: id}}}}\n", "GS110", 3, "only append", "silver"),
    (BRONZE, f"{SOURCE}{COLUMNS}changes_of: silver.sales\n", "GS110", 3, "reads no other table", "Remove"),
    (BRONZE, SOURCE + COLUMNS.replace("}", ", _run_id: string}"), "GS110", 2, "`_run_id`", "emove"),
    (BRONZE, SOURCE + COLUMNS.replace("}", ", first name: string}"), "GS110", 2, "`first name`", "spaces"),
]  # fmt: skip


def test_reference_to_a_column_of_another_type_is_refused(problems: Problems) -> None:
    exist = expect("expect_column_values_to_exist_in: {column: day, table: bronze.orders, key: id}")
    (problem,) = problems({"pipelines/p/bronze/days.yaml": f"{SOURCE}columns: {{day: date}}\n{exist}"})
    assert (problem.code, problem.where.line) == ("GS103", 4)
    assert "`day` (date) and `id` (int) cannot be compared" in problem.message


@pytest.mark.parametrize(
    ("file", "content", "code", "line", "words", "hint"),
    ONE_MISTAKE,
    ids=[f"{code}-{words}" for _, _, code, _, words, _ in ONE_MISTAKE],
)
def test_each_mistake_is_reported_once_with_location_and_hint(
    problems: Problems,
    tmp_path: Path,
    file: str,
    content: str | bytes | None,
    code: str,
    line: int | None,
    words: str,
    hint: str | None,
) -> None:
    (problem,) = problems({file: content})
    found = reported(problem, tmp_path)
    assert found[0] == code, str(problem)
    assert found[2] == line
    if content is not None and not file.endswith(".py") and "sliver" not in file:
        assert found[1] == file
    assert words in problem.message
    if hint is not None:
        assert hint in str(problem.hint)


def test_mistake_in_sql_has_line_and_column(problems: Problems) -> None:
    (problem,) = problems({SQL: "SELECT id,\n  amuont\nFROM bronze.orders"})
    assert (problem.where.line, problem.where.column, problem.where.table) == (2, 3, "silver.sales")


@pytest.mark.parametrize(
    ("url", "source", "scheme"),
    [
        ("s3://b", "jdbc: c, table: t, key: k", "jdbc:"),
        ("jdbc:sqlite:b", "s3: c, files: a, format: csv", "s3://"),
    ],
)
def test_connection_is_to_a_place_of_the_sources_kind(
    problems: Problems, url: str, source: str, scheme: str
) -> None:
    profile = f"profiles: {{local: {{connections: {{c: {{url: '{url}'}}}}}}}}\n"
    [problem] = problems({ROOT: profile, BRONZE: f"source: {{{source}}}\n{COLUMNS}"})
    assert (problem.code, problem.where.line) == ("GS110", 1)
    assert f"begins with `{scheme}` for this source, and it is {url}" in problem.message


def test_query_cannot_have_the_columns_of_a_history(problems: Problems) -> None:
    query = "SELECT id, day, name AS valid_to FROM bronze.orders"
    [problem] = problems({YAML: "load: {scd2: {key: id, sequence_by: day}}\n", SQL: query})
    assert (problem.code, problem.where.line) == ("GS110", 1)
    assert "`valid_to`, which `scd2` adds itself" in problem.message


def test_several_upstreams_require_changes_of(problems: Problems, tmp_path: Path) -> None:
    joined = "SELECT o.id FROM bronze.orders AS o JOIN bronze.more AS m ON o.id = m.id"
    more = {"pipelines/p/bronze/more.yaml": SOURCE + COLUMNS, SQL: joined}
    (problem,) = problems({**more, YAML: "owner: a\nload: {merge: {key: id}}\n"})
    assert reported(problem, tmp_path) == ("GS110", YAML, 2)
    assert "bronze.more" in problem.message
    assert problem.hint == "Declare it, as in `changes_of: bronze.orders`."
    assert not problems({**more, YAML: "load: {merge: {key: id}}\nchanges_of: bronze.orders\n"})


@pytest.mark.parametrize("load", ["append", "{merge: {key: name}}"])
def test_aggregates_cannot_be_loaded_incrementally(problems: Problems, tmp_path: Path, load: str) -> None:
    grouped = "SELECT name, sum(amount) AS amount\nFROM bronze.orders\nGROUP BY name"
    (problem,) = problems({YAML: f"owner: a\nload: {load}\n", SQL: grouped})
    assert reported(problem, tmp_path) == ("GS204", YAML, 2)
    assert "GROUP BY" in problem.message
    assert "`overwrite_partitions`" in str(problem.hint)
    assert not problems({YAML: "load: {overwrite_partitions: {by: name}}\n", SQL: grouped})


def test_merge_without_upstream_is_refused(problems: Problems, tmp_path: Path) -> None:
    (problem,) = problems({YAML: "load: {merge: {key: id}}\n", SQL: "SELECT 1 AS id"})
    assert reported(problem, tmp_path) == ("GS110", YAML, 1)
    assert "overwrite" in str(problem.hint)


def test_cycle_is_reported_in_its_order(problems: Problems, tmp_path: Path) -> None:
    (problem,) = problems(
        {
            SQL: "SELECT id FROM gold.sums",
            "pipelines/p/gold/sums.yaml": "",
            "pipelines/p/gold/sums.sql": "SELECT id FROM silver.sales",
        }
    )
    assert reported(problem, tmp_path) == ("GS107", "pipelines/p/gold/sums.yaml", 1)
    assert "gold.sums -> silver.sales -> gold.sums" in problem.message
    assert "Remove one" in str(problem.hint)


def test_table_that_reads_itself_is_refused(problems: Problems, tmp_path: Path) -> None:
    (problem,) = problems({SQL: "SELECT id FROM silver.sales"})
    assert reported(problem, tmp_path) == ("GS107", YAML, 1)


PYTHON_TABLE = {SQL: None, YAML: "reads: bronze.orders\n", PYTHON: "def transform(spark, tables):\n    ...\n"}


@pytest.mark.parametrize(
    ("changed", "code", "file", "line", "words"),
    [
        ({PYTHON: "x = 1\ndef transform(spark, tables:\n    ..."}, "GS206", PYTHON, 2, "not Python"),
        ({PYTHON: "def transfrom(spark, tables): ..."}, "GS206", PYTHON, 1, "no function `transform`"),
        ({YAML: ""}, "GS104", YAML, 1, "declare its upstreams"),
        ({YAML: "reads: bronze.ordrs\n"}, "GS108", YAML, 1, "`bronze.ordrs`"),
        ({YAML: "reads: bronze.orders\nload: {merge: {key: id}}\n"}, "GS110", YAML, 2, "overwritten"),
    ],
)
def test_mistakes_in_python_tables(
    problems: Problems,
    tmp_path: Path,
    changed: dict[str, str | bytes | None],
    code: str,
    file: str,
    line: int,
    words: str,
) -> None:
    (problem,) = problems({**PYTHON_TABLE, **changed})
    assert reported(problem, tmp_path) == (code, file, line)
    assert words in problem.message


def test_valid_python_table(problems: Problems) -> None:
    assert problems({**PYTHON_TABLE}) == ()


def test_table_declared_in_two_pipelines_names_the_first(problems: Problems, tmp_path: Path) -> None:
    again = {
        "pipelines/q/pipeline.yaml": "",
        YAML.replace("/p/", "/q/"): "",
        SQL.replace("/p/", "/q/"): QUERY,
    }
    (problem,) = problems(dict(again))
    assert reported(problem, tmp_path) == ("GS105", YAML.replace("/p/", "/q/"), 1)
    assert YAML in problem.message


def test_misspelt_pipeline_file_is_named(problems: Problems) -> None:
    (problem,) = problems({PIPELINE: None, "pipelines/p/pipeline.yml": ""})
    assert problem.hint == "Rename pipeline.yml to pipeline.yaml."


@pytest.mark.parametrize("name", ["pipelines.yaml", "pipline.yaml", "Pipeline.yaml"])
def test_misspelt_file_of_a_pipeline_is_named(problems: Problems, name: str) -> None:
    (problem,) = problems({PIPELINE: None, f"pipelines/p/{name}": ""})
    assert problem.hint == f"Rename {name} to pipeline.yaml."


@pytest.mark.parametrize("name", ["goldsmith.yml", "Goldsmith.yaml"])
def test_misspelt_file_of_a_project_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(DeclarationError) as found:
        find_root(tmp_path)
    assert found.value.hint == f"Rename {name} to goldsmith.yaml."


def test_missing_comma_is_suspected_where_a_renamed_column_is_used(problems: Problems) -> None:
    hint = "`silver.sales` names it `name` on line 2. If a comma is missing, write `day, name`."
    gold = "pipelines/p/gold/days"
    found = problems(
        {
            YAML: "load: {merge: {key: [day, id]}}\n",
            SQL: "SELECT id, amount,\n  day name FROM bronze.orders\n",
            f"{gold}.yaml": "",
            f"{gold}.sql": "SELECT day, count(*) AS n FROM silver.sales GROUP BY day",
        }
    )
    assert [problem.code for problem in found] == ["GS203"] * 2
    assert {problem.hint for problem in found} == {hint}
    # With AS, the column was renamed on purpose.
    found = problems({SQL: "SELECT id, day AS name FROM bronze.orders", f"{gold}.yaml": None,
                      YAML: "load: {merge: {key: day}}\n"})  # fmt: skip
    assert "comma" not in str(found[0].hint)


def test_function_of_the_catalog_is_accepted_with_its_schema(problems: Problems) -> None:
    query = "SELECT id, default.mine(amount) AS a FROM bronze.orders"
    assert problems({SQL: query}) == ()
    (problem,) = problems({SQL: query, YAML: "load: append\n"})
    assert problem.code == "GS204"


def test_mistakes_are_sorted_by_file_and_line(problems: Problems, tmp_path: Path) -> None:
    found = problems(
        {
            YAML: "descripton: x\nowner: 3\n" + expect(f"{NOT_NULL}: {{column: id}}", "drp"),
            "pipelines/p/gold/sums.yaml": "cluster_by: nope\n" + expect(f"{BETWEEN}: {{column: id}}"),
            "pipelines/p/gold/sums.sql": "SELECT id,\n amont\nFROM bronze.orders",
            BRONZE: SOURCE + COLUMNS + "on_removd: fail\non_new_column: no\n",
            "pipelines/p/sliver/x.yaml": "",
        }
    )
    locations = [reported(problem, tmp_path) for problem in found]
    assert locations == sorted(locations, key=lambda location: (location[1], location[2] or 0))
    assert [(code, line) for code, file, line in locations if file == YAML] == [
        ("GS102", 1),
        ("GS103", 2),
        ("GS103", 5),
    ]
    assert {file for _, file, _ in locations} == {
        BRONZE,
        YAML,
        "pipelines/p/gold/sums.yaml",
        "pipelines/p/sliver",
    }


def test_invalid_table_causes_no_further_mistakes_downstream(problems: Problems) -> None:
    (problem,) = problems({BRONZE: SOURCE + COLUMNS + "ownr: x\n"})
    assert problem.code == "GS102"


def test_folder_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as found:
        find_root(tmp_path)
    assert found.value.code == "GS100"
    with pytest.raises(DeclarationError) as found:
        load_project(tmp_path)
    assert found.value.code == "GS100"
    assert "goldsmith init" in str(found.value.hint)


def test_declarations_are_read_without_spark() -> None:
    code = (
        "import sys, goldsmith.project.loading, goldsmith.quality.checking; "
        "assert not {'pyspark', 'delta', 'great_expectations', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["_gs_rank", "_change_type", "a`b", "a b"])
def test_reserved_column_names_in_a_query_are_refused(problems: Problems, name: str) -> None:
    quoted = name.replace("`", "``")
    (problem,) = problems({SQL: f"SELECT id, amount AS `{quoted}`\nFROM bronze.orders\n"})
    assert (problem.code, f"`{name}`" in problem.message) == ("GS110", True)


@pytest.mark.parametrize("kind", ["map<int,string>", "variant", "array<map<int,int>>", "struct<a:variant>"])
def test_keys_of_incomparable_types_are_refused(problems: Problems, kind: str) -> None:
    load = f"load: {{merge: {{key: id}}}}\ncolumns: {{id: '{kind}', amount: 'struct<variant:int>'}}\n"
    assert "GS110" in {problem.code for problem in problems({YAML: load})}
    part = load.replace("key: id", "key: amount").replace(kind, "int")
    assert "GS110" not in {problem.code for problem in problems({YAML: part})}
    tracked = load.replace("merge: {key: id}", "scd2: {key: amount, sequence_by: day, track: id}")
    assert "GS110" not in {problem.code for problem in problems({YAML: tracked})}


@pytest.mark.parametrize(
    ("yaml", "sql", "message"),
    [
        ("load: append", QUERY, None),
        ("load: {merge: {key: id}}", QUERY, None),
        (
            "load: {overwrite_partitions: {by: day}}",
            "SELECT day, count(*) AS n FROM bronze.orders GROUP BY day",
            None,
        ),
        ("", QUERY, "`overwrite` computes the whole table"),
        (
            "load: {overwrite_partitions: {by: day}}",
            "SELECT max(day) AS day, name\nFROM bronze.orders\nGROUP BY name",
            "every change of bronze.orders recomputes the whole table: ",
        ),
        (
            "load: {merge: {key: k}}\nchanges_of: bronze.orders\nlookups: {bronze.other: as_loaded}",
            "SELECT concat(o.name, x.name) AS k FROM bronze.orders o JOIN bronze.other x ON o.id = x.id",
            "cannot be traced to that table alone",
        ),
        (
            "load: {merge: {key: [id, part]}}",
            "SELECT id, explode(split(name, ' ')) AS part FROM bronze.orders",
            None,
        ),
        (
            "load: {merge: {key: [id, name]}}\nchanges_of: bronze.orders\nlookups: {bronze.other: as_loaded}",
            "SELECT o.id, x.name FROM bronze.orders o JOIN bronze.other x ON o.id = x.id",
            "the key name cannot be traced to that table alone",
        ),
        (
            "load: {merge: {key: id}}\nchanges_of: bronze.orders",
            "SELECT o.id, x.name FROM bronze.orders o JOIN bronze.other x ON o.id = x.id",
            "a change of the lookup bronze.other rebuilds it",
        ),
        (
            "load: {merge: {key: id}}\nexpectations:\n  - {expect_column_values_to_exist_in: "
            "{column: id, table: bronze.other}, otherwise: drop}",
            QUERY,
            "a change of bronze.other rebuilds it, because an expectation",
        ),
    ],
)
def test_required_increments_are_refused_where_changes_cannot_be_confined(
    problems: Problems, yaml: str, sql: str, message: str | None
) -> None:
    found = problems(
        {
            YAML: f"incremental: required\n{yaml}\n",
            SQL: sql,
            "pipelines/p/bronze/other.yaml": SOURCE.replace("orders", "other") + COLUMNS,
        }
    )
    if message is None:
        assert found == ()
        return
    (problem,) = found
    assert (problem.code, problem.where.line) == ("GS204", 1)
    assert message in problem.message
    assert problem.hint


def test_required_increments_have_no_effect_on_bronze(problems: Problems) -> None:
    (problem,) = problems({BRONZE: SOURCE + COLUMNS + "incremental: required\n"})
    assert problem.code == "GS110"
