#!/usr/bin/env bash
# Saves .env, the metastore's database and the bucket into a folder. Usage: backup.sh FOLDER
# No job should run meanwhile: what it commits may be saved in part.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${1:-}" ] || { echo "Name a folder: make backup TO=/path/to/folder" >&2; exit 2; }
umask 077
mkdir -p "$1/bucket"
folder=$(cd "$1" && pwd)
compose() { python3 tools/compose.py --progress quiet "$@"; }

cp .env "$folder/env"
compose exec --no-TTY postgres pg_dump -U postgres --format custom --clean --if-exists metastore >"$folder/metastore.part"
mv "$folder/metastore.part" "$folder/metastore.dump"
compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$folder/bucket:/backup" store-copy out
echo "Saved into $folder: $(du -sh "$folder" | cut -f1). It holds secrets and all data."
