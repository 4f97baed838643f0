"""Brings a project's assets into a running Superset, and takes out what was ours and is no longer declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from goldsmith.errors import GoldsmithError, Where
from goldsmith.publish.superset.access import grant_analysts
from goldsmith.publish.superset.assets import Assets, as_yaml
from goldsmith.publish.superset.client import Client
from goldsmith.publish.superset.names import Names

_DATABASE = "databases/lakehouse.yaml"
_TITLES = {"dashboard": "dashboard_title", "chart": "slice_name", "dataset": "table_name"}
"""What can be left over, in the order in which it can be removed, and what it is called."""


@dataclass(frozen=True)
class Pushed:
    """What a push did. removed: kinds and titles of what is gone. dashboards: title to the address's path."""

    removed: tuple[tuple[str, str], ...]
    dashboards: Mapping[str, str]
    role: str


def push(client: Client, assets: Assets, names: Names, *, database_uri: str | None = None) -> Pushed:
    """Imports every asset over what has its UUID, prunes, and makes the analysts' role.

    database_uri: the Thrift Server's address, where it is not the one of compose; its password never enters
    a file. Raises GS726 where something of others has a dashboard's address, and what Client raises.
    """
    _in_the_way(client, assets, names)
    ready, passwords = _addressed(assets, database_uri)
    client.import_assets(ready, passwords)
    removed = _prune(client, assets, names)
    role = grant_analysts(client)
    return Pushed(tuple(removed), _paths(assets), role)


def _loaded(assets: Assets, folder: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for path, text in assets.items() if path.startswith(f"{folder}/")]


def _in_the_way(client: Client, assets: Assets, names: Names) -> None:
    slugs = {
        each["slug"]: each["dashboard_title"] for each in _loaded(assets, "dashboards") if each.get("slug")
    }
    for held in client.all("dashboard", ("id", "slug", "uuid", "dashboard_title")):
        if held.get("slug") in slugs and not names.is_ours(str(held["uuid"])):
            told = f"Superset has a dashboard `{held['dashboard_title']}` at the address `{held['slug']}`, and not by us."
            where = Where(file=f"{client.server.url}/superset/dashboard/{held['slug']}/")
            hint = "Give it another address in its properties, delete it there, or rename the declared one."
            raise GoldsmithError("GS726", told, where=where, hint=hint)


def _addressed(assets: Assets, uri: str | None) -> tuple[Assets, dict[str, str]]:
    """The assets with the database's real address, and its password beside them."""
    if not uri:
        return assets, {}
    content = yaml.safe_load(assets[_DATABASE])
    password = urlsplit(uri).password
    shown = uri.replace(f":{password}@", ":XXXXXXXXXX@", 1) if password else uri
    ready = {**assets, _DATABASE: as_yaml({**content, "sqlalchemy_uri": shown})}
    return ready, {_DATABASE: unquote(password)} if password else {}


def _prune(client: Client, assets: Assets, names: Names) -> list[tuple[str, str]]:
    removed = []
    for kind, title in _TITLES.items():
        declared = {each["uuid"] for each in _loaded(assets, f"{kind}s")}
        left = [
            held
            for held in client.all(kind, ("id", "uuid", title))
            if names.is_ours(str(held["uuid"])) and str(held["uuid"]) not in declared
        ]
        client.delete(kind, [held["id"] for held in left])
        removed += [(kind, str(held[title])) for held in left]
    return removed


def _paths(assets: Assets) -> dict[str, str]:
    return {
        each["dashboard_title"]: f"/superset/dashboard/{each.get('slug') or each['uuid']}/"
        for each in _loaded(assets, "dashboards")
    }
