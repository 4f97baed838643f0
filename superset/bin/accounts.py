"""Makes Superset's roles, its administrator and an analyst; their passwords are what the environment says now."""

from __future__ import annotations

import os
from typing import Any

from superset.app import create_app

ANALYST = "Analyst"
"""`goldsmith superset push` says what the role may."""
TEAM = "Lakehouse"
"""The first name of the accounts made here: pages show an owner by both names."""


def main() -> None:
    with create_app().app_context():
        from superset import appbuilder

        manager = appbuilder.sm
        appbuilder.add_permissions(update_perms=True)
        manager.sync_role_definitions()
        admin = os.environ.get("SUPERSET_ADMIN_USER") or "admin"
        account(manager, admin, "Admin", os.environ["SUPERSET_ADMIN_PASSWORD"])
        if password := os.environ.get("SUPERSET_ANALYST_PASSWORD"):
            manager.add_role(ANALYST)
            account(manager, os.environ.get("SUPERSET_ANALYST_USER") or "analyst", ANALYST, password)


def account(manager: Any, user: str, role: str, password: str) -> None:
    """Makes a user with one role, or gives the one who is there the password."""
    found = manager.find_user(username=user)
    last = "administrator" if role == "Admin" else role.lower()
    if found is None:
        mail = f"{user}@localhost"
        manager.add_user(user, TEAM, last, mail, manager.find_role(role), password=password)
        return
    manager.reset_password(found.id, password)
    if (found.first_name, found.last_name) == (user.capitalize(), role):
        # As older versions named it; a name that a person chose stays.
        found.first_name, found.last_name = TEAM, last
        manager.update_user(found)


if __name__ == "__main__":
    main()
