#!/bin/sh
# Compiles the metastore's server, and the Thrift Server's authentication, access rules and table versions, into a jar.
# The same sources and JDK give the same bytes.
# Usage: build.sh CLASS_PATH JAR
#   CLASS_PATH  pyspark's jars, SPARK_HOME/jars/*, and Delta's
set -eu
class_path=$1 jar=$2
here=$(cd "$(dirname "$0")" && pwd)
bin=${JAVA_HOME:+$JAVA_HOME/bin/}
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find "$here/src" -name '*.java' | sort >"$work/sources"
"${bin}javac" --release 17 -encoding UTF-8 -g -Xlint:all,-classfile,-path,-processing -Werror -proc:none \
    -cp "$class_path" -d "$work/classes" "@$work/sources"
(cd "$work/classes" && find . -name '*.class' | sed 's|^\./||' | sort >"$work/entries")
mkdir -p "$(dirname "$jar")"
# No manifest, because it names the JDK's vendor. A jar has no times before 1980.
(cd "$work/classes" && "${bin}jar" --create --file "$work/jar" --no-manifest \
    --date 1980-01-02T00:00:00Z "@$work/entries")
mv "$work/jar" "$jar"
