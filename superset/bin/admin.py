"""Makes Superset's roles and its administrator, whose password is what the environment says now."""

from __future__ import annotations

import os

from superset.app import create_app


def main() -> None:
    user, password = os.environ.get("SUPERSET_ADMIN_USER", "admin"), os.environ["SUPERSET_ADMIN_PASSWORD"]
    with create_app().app_context():
        from superset import appbuilder

        manager = appbuilder.sm
        appbuilder.add_permissions(update_perms=True)
        manager.sync_role_definitions()
        found = manager.find_user(username=user)
        if found is None:
            mail = f"{user}@localhost"
            manager.add_user(
                user, "Goldsmith", "Administrator", mail, manager.find_role("Admin"), password=password
            )
        else:
            manager.reset_password(found.id, password)


if __name__ == "__main__":
    main()
