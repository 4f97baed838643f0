"""Services that tests share, each a real process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from goldsmith.settings import Settings
from services.object_store import NoStoreError, ObjectStore, running


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An S3 store for all tests that need one; each makes buckets of its own."""
    try:
        with running(tmp_path_factory.mktemp("object-store"), Settings.from_environment().cache) as store:
            yield store
    except NoStoreError as missing:
        pytest.skip(f"no S3 store: {missing}")
