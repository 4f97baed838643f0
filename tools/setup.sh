#!/usr/bin/env bash
# Creates .venv without root: a Python, uv (downloaded once if missing), and the locked packages.
# Usage: tools/setup.sh PYTHON CACHE UV_VERSION
set -euo pipefail
python=$1 cache=$2 version=$3

java_ok() {
    local java=java
    [ -n "${JAVA_HOME:-}" ] && java="$JAVA_HOME/bin/java"
    "$java" -version 2>&1 | grep -qE 'version "(17|21)[."]'
}
if ! java_ok; then
    echo "Goldsmith needs a JDK 17 or 21 for Spark. None was found." >&2
    if command -v apt-get >/dev/null; then echo "  sudo apt-get install openjdk-17-jdk-headless" >&2
    elif command -v dnf >/dev/null; then echo "  sudo dnf install java-17-openjdk-headless" >&2
    elif command -v brew >/dev/null; then echo "  brew install openjdk@17" >&2
    fi
    echo "  or unpack one anywhere, without root, and set JAVA_HOME to it." >&2
    exit 4
fi
if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then
    for candidate in python3.12 python3.11; do
        command -v "$candidate" >/dev/null && python=$candidate && break
    done
fi
if ! uv=$(command -v uv); then
    uv=$cache/uv/bin/uv
    if [ ! -x "$uv" ]; then
        echo "Downloading uv $version into $cache/uv"
        mkdir -p "$cache"
        "$python" -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
            --target "$cache/uv" "uv==$version" || {
            echo "The download of uv with $python -m pip failed: install pip (python3-pip) or uv itself." >&2
            exit 4
        }
    fi
fi
# Fall back to uv's own choice of interpreter if the one on PATH is not supported.
"$uv" sync --frozen --python "$python" || "$uv" sync --frozen
