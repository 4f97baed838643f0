#!/usr/bin/env bash
# Delivers a file of this machine to the lake's landing folder. Usage: put.sh FILE landing/PATH
# A path that ends with / takes the file's own name.
set -euo pipefail
cd "$(dirname "$0")/.."
file=${1:-} to=${2:-}
if [ ! -f "$file" ] || [ ! -r "$file" ]; then
    echo "Name a file that can be read, and its place: make put FILE=orders.csv TO=landing/orders/" >&2
    exit 2
fi
case $to in
    landing/?*) to=${to#landing/} ;;
    *)
        echo "Files are delivered below landing/: make put FILE='$file' TO=landing/orders/" >&2
        exit 2
        ;;
esac
case $to in */) to=$to$(basename "$file") ;; esac
# The size tells a whole file from one whose transfer was cut off.
python3 tools/compose.py --progress quiet run --rm --no-deps --no-TTY jobs \
    goldsmith landing put - "$to" --size "$(($(wc -c <"$file")))" <"$file"
