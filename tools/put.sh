#!/usr/bin/env bash
# Delivers a local file to the lake's landing folder. Usage: put.sh FILE landing/PATH
# If the path ends with /, the file's name is appended.
set -euo pipefail
cd "$(dirname "$0")/.."
file=${1:-} to=${2:-}
if [ ! -f "$file" ] || [ ! -r "$file" ]; then
    echo "Name a readable file and its path: make put FILE=orders.csv TO=landing/orders/" >&2
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
# The size detects an interrupted transfer.
python3 tools/compose.py --progress quiet run --rm --no-deps --no-TTY jobs \
    goldsmith landing put - "$to" --size "$(($(wc -c <"$file")))" <"$file"
