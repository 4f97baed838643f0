#!/usr/bin/env bash
# Saves .env, the services' databases, the bucket and DQOps' results into a folder. Usage: backup.sh FOLDER
# Run no job meanwhile: its commits may be saved in part.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${1:-}" ] || { echo "Name a folder: make backup TO=/path/to/folder" >&2; exit 2; }
umask 077
mkdir -p "$1/bucket"
folder=$(cd "$1" && pwd)
compose() { python3 tools/compose.py --progress quiet "$@"; }
postgres() { compose exec --no-TTY postgres "$@"; }

cp .env "$folder/env"
# Each service's database has the name of its owner.
owned="SELECT datname FROM pg_database JOIN pg_roles ON rolname = datname WHERE rolname <> 'postgres'"
for name in $(postgres psql -U postgres -XAtc "$owned" </dev/null); do
    postgres pg_dump -U postgres --format custom --clean --if-exists "$name" >"$folder/$name.part" </dev/null
    mv "$folder/$name.part" "$folder/$name.dump"
done
if [ -d dqops_userhome/.data ]; then
    tar -C dqops_userhome -cf "$folder/dqops.part" .data
    mv "$folder/dqops.part" "$folder/dqops.tar"
fi
compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$folder/bucket:/backup" store-copy out
echo "Saved into $folder: $(du -sh "$folder" | cut -f1). It contains secrets and all data."
