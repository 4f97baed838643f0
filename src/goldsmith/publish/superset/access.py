"""The analysts' role: looks at dashboards, makes charts, and asks SQL Lab, on gold and ops and nothing else."""

from __future__ import annotations

from goldsmith.errors import GoldsmithError
from goldsmith.project.relations import SCHEMAS
from goldsmith.publish.superset.client import Client
from goldsmith.publish.superset.datasets import DATABASE

ANALYST = "Analyst"
_BASES = ("Gamma", "sql_lab")
"""Superset's own roles for reading and for SQL Lab; neither reads any data by itself."""
_SCHEMA = "schema_access"


def grant_analysts(client: Client) -> str:
    """Makes the role, or makes it again what it should be. Returns its name.

    Raises GoldsmithError GS723 where Superset does not know the schemas, or what Client raises.
    """
    roles = {role["name"]: role["id"] for role in client.all("security/roles", ("id", "name"))}
    granted: set[int] = set()
    for base in _BASES:
        if base not in roles:
            told = f"Superset has no role `{base}`, of which the analysts' is made."
            raise GoldsmithError("GS723", told, hint="Initialize it: `superset init`.")
        held = client.get(f"security/roles/{roles[base]}/permissions/")["result"]
        granted |= {each["id"] for each in held if not each["permission_name"].endswith("_access")}
        granted |= {each["id"] for each in held if each["permission_name"] == "menu_access"}
    granted |= _schemas(client)
    if ANALYST not in roles:
        roles[ANALYST] = client.post("security/roles/", {"name": ANALYST})["id"]
    client.post(f"security/roles/{roles[ANALYST]}/permissions", {"permission_view_menu_ids": sorted(granted)})
    return ANALYST


def _schemas(client: Client) -> set[int]:
    """The permissions to read each schema that analysts may."""
    wanted = {f"[{DATABASE}].[{schema}]" for schema in SCHEMAS}
    found = {
        each["view_menu"]["name"]: each["id"]
        for each in client.all("security/permissions-resources")
        if each["permission"]["name"] == _SCHEMA and each["view_menu"]["name"] in wanted
    }
    if missing := wanted - found.keys():
        told = f"Superset has no permission for {', '.join(sorted(missing))}."
        raise GoldsmithError("GS723", told, hint="Its datasets make them: was the import refused?")
    return set(found.values())
