"""Encrypts the secrets in Superset's tables with SUPERSET_SECRET_KEY. SUPERSET_PREVIOUS_SECRET_KEY encrypted them so far.

`superset re-encrypt-secrets` of release 6.1.0 looks for encrypted columns in a registry without tables, and finds none.
"""

from __future__ import annotations

import sys

from superset.app import create_app


def main() -> None:
    """Encrypts all secrets in one transaction. Exits with a message if the previous key does not decrypt them."""
    app = create_app()
    with app.app_context():
        from flask_appbuilder import Model
        from superset.utils.encrypt import EncryptedType, SecretsMigrator

        class Migrator(SecretsMigrator):
            def discover_encrypted_fields(self) -> dict[str, dict[str, EncryptedType]]:
                found: dict[str, dict[str, EncryptedType]] = {}
                for table in Model.metadata.tables.values():
                    for column in table.columns:
                        if isinstance(column.type, EncryptedType):
                            found.setdefault(table.name, {})[column.name] = column.type
                return found

        migrator = Migrator(app.config["PREVIOUS_SECRET_KEY"])
        if not migrator.discover_encrypted_fields():
            sys.exit("Superset has no columns with secrets. Was it changed by an upgrade?")
        try:
            migrator.run()
        except Exception as error:
            # For a wrong key the migrator raises the base class, caused by a ValueError.
            if not isinstance(error.__cause__, ValueError):
                raise
            sys.exit(f"SUPERSET_PREVIOUS_SECRET_KEY does not decrypt Superset's secrets: {error.__cause__}")


if __name__ == "__main__":
    main()
