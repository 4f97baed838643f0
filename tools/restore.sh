#!/usr/bin/env bash
# Makes the lake what backup.sh saved: the bucket and the metastore's database. Usage: restore.sh FOLDER
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

compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$folder/bucket:/backup:ro" store-copy in
compose stop thrift-server metastore
compose exec --no-TTY postgres \
    pg_restore -U postgres --clean --if-exists --no-owner --role metastore --exit-on-error --dbname metastore <"$folder/metastore.dump"
compose up --detach --wait --wait-timeout 300
echo "Restored from $folder."
