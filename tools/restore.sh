#!/usr/bin/env bash
# Makes the lake what backup.sh saved: the bucket, the services' databases and DQOps' results. Usage: restore.sh FOLDER
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
setting() { sed -n "s/^$2=//p" "$1" | tail -1; }

compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$folder/bucket:/backup:ro" store-copy in
read -ra running <<<"$(compose ps --services --status running | grep -xE 'thrift-server|metastore|superset|dqops' | xargs)"
[ ${#running[@]} -eq 0 ] || compose stop "${running[@]}"
for database in metastore superset; do
    [ -s "$folder/$database.dump" ] || continue
    compose exec --no-TTY postgres \
        pg_restore -U postgres --clean --if-exists --no-owner --role $database --exit-on-error --dbname $database <"$folder/$database.dump"
done
if [ -s "$folder/dqops.tar" ]; then
    rm -rf dqops_userhome/.data
    tar -C dqops_userhome -xf "$folder/dqops.tar"
fi
# Superset's database holds what the backup's key encrypted.
key=$(setting "$folder/env" SUPERSET_SECRET_KEY)
if [ -s "$folder/superset.dump" ] && [ "$key" != "$(setting .env SUPERSET_SECRET_KEY)" ]; then
    export SUPERSET_PREVIOUS_SECRET_KEY=$key
fi
python3 tools/compose.py up
echo "Restored from $folder."
