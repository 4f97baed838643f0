"""The role Analyst: dashboards, charts and SQL Lab on the schemas gold and ops only."""

from __future__ import annotations

from goldsmith.errors import GoldsmithError
from goldsmith.project.relations import SCHEMAS
from goldsmith.publish.superset.client import SupersetClient
from goldsmith.publish.superset.datasets import DATABASE

ANALYST = "Analyst"
_BASES = ("Gamma", "sql_lab")
"""Superset's own roles for reading and for SQL Lab; neither reads any data by itself."""
_SCHEMA = "schema_access"


def grant_analysts(client: SupersetClient) -> str:
    """Creates or updates the role. Returns its name.

    Raises GoldsmithError GS723 if Superset does not know the schemas, and the errors of the client.
    """
    roles = {role["name"]: role["id"] for role in client.all("security/roles", ("id", "name"))}
    granted: set[int] = set()
    for base in _BASES:
        if base not in roles:
            message = f"Superset has no role `{base}`, which the role {ANALYST} is based on."
            raise GoldsmithError("GS723", message, hint="Initialize Superset: `superset init`.")
        permissions = client.get(f"security/roles/{roles[base]}/permissions/")["result"]
        granted |= {each["id"] for each in permissions if not each["permission_name"].endswith("_access")}
        granted |= {each["id"] for each in permissions if each["permission_name"] == "menu_access"}
    granted |= _schemas(client)
    if ANALYST not in roles:
        roles[ANALYST] = client.post("security/roles/", {"name": ANALYST})["id"]
    client.post(f"security/roles/{roles[ANALYST]}/permissions", {"permission_view_menu_ids": sorted(granted)})
    return ANALYST


def _schemas(client: SupersetClient) -> set[int]:
    """The permissions to read the analysts' schemas."""
    wanted = {f"[{DATABASE}].[{schema}]" for schema in SCHEMAS}
    found = {
        each["view_menu"]["name"]: each["id"]
        for each in client.all("security/permissions-resources")
        if each["permission"]["name"] == _SCHEMA and each["view_menu"]["name"] in wanted
    }
    if missing := wanted - found.keys():
        message = f"Superset has no permission for {', '.join(sorted(missing))}."
        hint = "Check whether Superset refused the import: its datasets create the permissions."
        raise GoldsmithError("GS723", message, hint=hint)
    return set(found.values())
