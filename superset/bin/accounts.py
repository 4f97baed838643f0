"""Creates Superset's roles, its administrator and an analyst, with the passwords in the environment."""

from __future__ import annotations

import os
from typing import Any

from superset.app import create_app

ANALYST = "Analyst"
"""`goldsmith superset push` sets the permissions of the role."""
TEAM = "Lakehouse"
"""The first name of the accounts created here: pages show the first and last name of an owner."""


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
    """Creates a user with one role, or sets the password of an existing one."""
    found = manager.find_user(username=user)
    last = "administrator" if role == "Admin" else role.lower()
    if found is None:
        mail = f"{user}@localhost"
        manager.add_user(user, TEAM, last, mail, manager.find_role(role), password=password)
        return
    manager.reset_password(found.id, password)
    if (found.first_name, found.last_name) == (user.capitalize(), role):
        # The name set by older versions. A name that a user chose is kept.
        found.first_name, found.last_name = TEAM, last
        manager.update_user(found)


if __name__ == "__main__":
    main()
