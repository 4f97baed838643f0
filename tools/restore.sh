#!/usr/bin/env bash
# Restores a backup of backup.sh: the bucket, the services' databases and DQOps' results. Usage: restore.sh FOLDER
# The containers must be running, with the .env of the backup or another one. Run no job meanwhile.
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
setting() { sed -n "s/^$2=//p" "$1" | tail -1; }

# Stop all users of the databases and the bucket.
compose stop $(compose config --services | grep -vxE 'postgres|minio|spark-.*')
compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$folder/bucket:/backup:ro" store-copy in
there=$(postgres psql -U postgres -XAtc "SELECT datname FROM pg_database" </dev/null)
for dump in "$folder"/*.dump; do
    name=$(basename "$dump" .dump)
    if grep -qx "$name" <<<"$there"; then
        postgres pg_restore -U postgres --clean --if-exists --no-owner --role "$name" --exit-on-error --dbname "$name" <"$dump"
    else
        echo "There is no database $name here: $dump is not restored."
    fi
done
if [ -s "$folder/dqops.tar" ]; then
    rm -rf dqops_userhome/.data
    tar -C dqops_userhome -xf "$folder/dqops.tar"
fi
# Superset's database contains secrets encrypted with the backup's key.
key=$(setting "$folder/env" SUPERSET_SECRET_KEY)
if [ -s "$folder/superset.dump" ] && [ "$key" != "$(setting .env SUPERSET_SECRET_KEY)" ]; then
    export SUPERSET_PREVIOUS_SECRET_KEY=$key
fi
python3 tools/compose.py up
echo "Restored from $folder."
