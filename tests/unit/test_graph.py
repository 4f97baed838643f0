"""The order of tables."""

from __future__ import annotations

from goldsmith.project.graph import downstream_of, find_cycle, in_order

FLIGHTS = {
    "gold.punctuality": ("silver.departures", "silver.planes"),
    "silver.departures": ("bronze.departures",),
    "silver.planes": ("bronze.planes",),
    "bronze.departures": (),
    "bronze.planes": (),
}


def test_tables_are_sorted_by_upstreams_then_by_name() -> None:
    assert in_order(FLIGHTS) == (
        "bronze.departures",
        "bronze.planes",
        "silver.departures",
        "silver.planes",
        "gold.punctuality",
    )
    assert in_order(dict(reversed(FLIGHTS.items()))) == in_order(FLIGHTS)


def test_undeclared_names_are_ignored() -> None:
    assert in_order({"b": ("a", "x")}) == ("b",)
    assert find_cycle({"b": ("a", "x")}) is None


def test_cycle_starts_and_ends_with_its_first_table() -> None:
    assert find_cycle(FLIGHTS) is None
    assert find_cycle({"a": ("b",), "b": ("c",), "c": ("b",), "d": ()}) == ("b", "c", "b")
    assert find_cycle({"a": ("a",)}) == ("a", "a")
    assert find_cycle({"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()}) is None


def test_cyclic_tables_have_an_order() -> None:
    assert set(in_order({"a": ("b",), "b": ("a",), "c": ("b",)})) == {"a", "b", "c"}


def test_long_chains() -> None:
    chain = {f"t{number:05}": (f"t{number - 1:05}",) for number in range(1, 5000)}
    assert in_order(chain)[-1] == "t04999"
    assert find_cycle(chain) is None


def test_downstream_includes_indirect_readers() -> None:
    assert downstream_of(["bronze.departures"], FLIGHTS) == {"silver.departures", "gold.punctuality"}
    assert downstream_of(["gold.punctuality"], FLIGHTS) == frozenset()
    assert downstream_of(["silver.planes", "silver.departures"], FLIGHTS) == {"gold.punctuality"}
