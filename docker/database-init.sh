#!/usr/bin/env bash
# Creates a database and its owner for each name, or sets the owner's password to the one in .env.
# Usage: database-init.sh NAME..., with NAME_DB_PASSWORD in the environment
set -euo pipefail
for name; do
    variable=${name^^}_DB_PASSWORD
    [ -n "${!variable:-}" ] || { echo "$variable is not set." >&2; exit 1; }
    # A failed statement must not write the password to the server's log.
    PGOPTIONS='-c log_min_error_statement=panic' psql -X -q -v ON_ERROR_STOP=1 -v name="$name" -d postgres <<SQL
\getenv password $variable
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
-- Before the first ANALYZE, PostgreSQL expects many rows in empty tables, and compiles the queries that poll them.
ALTER DATABASE :"name" SET jit = off;
SQL
    echo "The database $name is ready."
done
