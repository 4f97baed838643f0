"""Tickets of a help desk, by a resource of dlt.

TICKETS_API is the address of the API. `GET /tickets?since=TIME` answers with `{"tickets": [...], "next": URL}`: the
tickets that changed at that time or later, where `next` is null on the last page.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.common.configuration.container import Container
from dlt.common.pipeline import StateInjectableContext
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator


@dlt.resource(primary_key="id")
def tickets(
    changed_at: Any = dlt.sources.incremental("changed_at", initial_value="1970-01-01T00:00:00Z"),  # noqa: B008
) -> Iterator[list[dict[str, Any]]]:
    """The tickets that changed since the last load. dlt leaves out those that it saw at the cursor's value."""
    client = RESTClient(os.environ["TICKETS_API"], paginator=JSONLinkPaginator(next_url_path="next"))
    for page in client.paginate("/tickets", params={"since": changed_at.last_value}, data_selector="tickets"):
        # The client reads numbers as floats, which may change their digits.
        yield json.loads(page.response.text, parse_float=str)["tickets"]


def load(*, interval: Any, state: Any, folder: Any) -> Any:
    """Writes the resource's rows. The state is that of dlt."""
    context = StateInjectableContext(state=state or {})
    with Container().injectable_context(context):
        rows = "".join(json.dumps(row) + "\n" for row in tickets())
    if rows:
        (folder / "tickets.json").write_text(rows)
    return context.state
