#!/usr/bin/env bash
# Makes the lake what backup.sh saved: the bucket and the services' databases. Usage: restore.sh FOLDER
# The containers are up, with the .env of the backup or with another one. No job may run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-}
[ -s "$folder/metastore.dump" ] && [ -d "$folder/bucket" ] || {
    echo "There is no backup in '$folder': make restore FROM=/path/to/folder" >&2
    exit 2
}
folder=$(cd "$folder" && pwd)
compose() { python3 tools/compose.py --progress quiet "$@"; }
postgres() { compose exec --no-TTY postgres "$@"; }

# Nobody uses a database or the bucket meanwhile.
compose stop $(compose config --services | grep -vxE 'postgres|minio|spark-.*')
compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$folder/bucket:/backup:ro" store-copy in
there=$(postgres psql -U postgres -XAtc "SELECT datname FROM pg_database" </dev/null)
for dump in "$folder"/*.dump; do
    name=$(basename "$dump" .dump)
    if grep -qx "$name" <<<"$there"; then
        postgres pg_restore -U postgres --clean --if-exists --no-owner --role "$name" --exit-on-error --dbname "$name" <"$dump"
    else
        echo "There is no database $name here: what $dump holds is left out."
    fi
done
compose up --detach --wait --wait-timeout 300
echo "Restored from $folder."
