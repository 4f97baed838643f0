#!/usr/bin/env bash
# Saves .env, the services' databases, the bucket and DQOps' results into a folder. Usage: backup.sh FOLDER
# No job should run meanwhile: what it commits may be saved in part.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${1:-}" ] || { echo "Name a folder: make backup TO=/path/to/folder" >&2; exit 2; }
umask 077
mkdir -p "$1/bucket"
folder=$(cd "$1" && pwd)
compose() { python3 tools/compose.py --progress quiet "$@"; }

cp .env "$folder/env"
for database in metastore superset; do
    compose exec --no-TTY postgres pg_dump -U postgres --format custom --clean --if-exists $database >"$folder/$database.part"
    mv "$folder/$database.part" "$folder/$database.dump"
done
if [ -d dqops_userhome/.data ]; then
    tar -C dqops_userhome -cf "$folder/dqops.part" .data
    mv "$folder/dqops.part" "$folder/dqops.tar"
fi
compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$folder/bucket:/backup" store-copy out
echo "Saved into $folder: $(du -sh "$folder" | cut -f1). It holds secrets and all data."
