"""Imports a project's assets into Superset, and removes its assets that are no longer declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from goldsmith.errors import GoldsmithError, Where
from goldsmith.publish.superset.access import grant_analysts
from goldsmith.publish.superset.assets import Assets, as_yaml
from goldsmith.publish.superset.client import SupersetClient
from goldsmith.publish.superset.names import Names
from goldsmith.yaml_text import parsed

_DATABASE = "databases/lakehouse.yaml"
_TITLES = {"dashboard": "dashboard_title", "chart": "slice_name", "dataset": "table_name"}
"""The kinds of assets to remove, in the order of their removal, and their title columns."""


@dataclass(frozen=True)
class Pushed:
    """The result of a push. removed: kinds and titles of removed assets. dashboards: URL paths by title."""

    removed: tuple[tuple[str, str], ...]
    dashboards: Mapping[str, str]
    role: str


def push(client: SupersetClient, assets: Assets, names: Names, *, database_uri: str | None = None) -> Pushed:
    """Imports all assets, replacing those with the same UUIDs, removes undeclared ones, and creates the role Analyst.

    database_uri: the Thrift Server's URI, if it is not the one of compose; its password is never written to a file.
    Raises GS726 if a foreign dashboard has the slug of a declared one, and the errors of the client.
    """
    _check_slugs(client, assets, names)
    ready, passwords = _with_uri(assets, database_uri)
    client.import_assets(ready, passwords)
    removed = _prune(client, assets, names)
    role = grant_analysts(client)
    return Pushed(tuple(removed), _paths(assets), role)


def _loaded(assets: Assets, folder: str) -> list[dict[str, Any]]:
    return [parsed(text) for path, text in assets.items() if path.startswith(f"{folder}/")]


def _check_slugs(client: SupersetClient, assets: Assets, names: Names) -> None:
    slugs = {
        each["slug"]: each["dashboard_title"] for each in _loaded(assets, "dashboards") if each.get("slug")
    }
    for each in client.all("dashboard", ("id", "slug", "uuid", "dashboard_title")):
        if each.get("slug") in slugs and not names.is_ours(str(each["uuid"])):
            title, slug = each["dashboard_title"], each["slug"]
            message = f"Superset has a dashboard `{title}` with the slug `{slug}`, which this project did not create."
            where = Where(file=f"{client.server.url}/superset/dashboard/{slug}/")
            hint = "Change the slug in its properties, delete it there, or rename the declared dashboard."
            raise GoldsmithError("GS726", message, where=where, hint=hint)


def _with_uri(assets: Assets, uri: str | None) -> tuple[Assets, dict[str, str]]:
    """The assets with the database's actual URI, and its password separately."""
    if not uri:
        return assets, {}
    content = parsed(assets[_DATABASE])
    password = urlsplit(uri).password
    shown = uri.replace(f":{password}@", ":XXXXXXXXXX@", 1) if password else uri
    ready = {**assets, _DATABASE: as_yaml({**content, "sqlalchemy_uri": shown})}
    return ready, {_DATABASE: unquote(password)} if password else {}


def _prune(client: SupersetClient, assets: Assets, names: Names) -> list[tuple[str, str]]:
    removed = []
    for kind, title in _TITLES.items():
        declared = {each["uuid"] for each in _loaded(assets, f"{kind}s")}
        undeclared = [
            each
            for each in client.all(kind, ("id", "uuid", title))
            if names.is_ours(str(each["uuid"])) and str(each["uuid"]) not in declared
        ]
        client.delete(kind, [each["id"] for each in undeclared])
        removed += [(kind, str(each[title])) for each in undeclared]
    return removed


def _paths(assets: Assets) -> dict[str, str]:
    return {
        each["dashboard_title"]: f"/superset/dashboard/{each.get('slug') or each['uuid']}/"
        for each in _loaded(assets, "dashboards")
    }
