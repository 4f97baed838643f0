"""New files by comparing two listings of a landing folder, without reading the ledger."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.landing import files_added_to, listing_digest

FILES = st.lists(
    st.builds(
        LoadedFile,
        st.text("abc/", min_size=1, max_size=4),
        st.integers(0, 3),
        st.integers(0, 5),
    ),
    max_size=8,
    unique_by=lambda file: file.path,
)


@given(FILES, FILES)
def test_result_is_the_difference_of_the_listings(before: list[LoadedFile], after: list[LoadedFile]) -> None:
    added = files_added_to(listing_digest(before), after)
    if added is not None:
        assert set(added) == set(after) - set(before)
        assert set(before) <= set(after)


@given(FILES, FILES)
def test_newer_files_are_found(before: list[LoadedFile], more: list[LoadedFile]) -> None:
    known = {file.path for file in before}
    newer = [replace(file, modified=file.modified + 10) for file in more if file.path not in known]
    assert files_added_to(listing_digest(before), [*newer, *before]) == tuple(
        sorted(newer, key=lambda file: file.path)
    )


def test_older_replaced_and_missing_files_give_no_result() -> None:
    a, b = LoadedFile("a", 1, 10), LoadedFile("b", 1, 20)
    former = listing_digest([a, b])
    assert files_added_to(former, [a, b, LoadedFile("c", 1, 5)]) is None
    assert files_added_to(former, [a, replace(b, modified=30)]) is None
    assert files_added_to(former, [a]) is None
    assert files_added_to(former, [b, a]) == ()
