#!/bin/sh
# Compiles Java sources into a jar. The same sources and JDK give the same bytes.
# Usage: build-jar.sh SOURCES CLASS_PATH JAR
#   SOURCES     a folder of .java files: logstore/src, services/src, files/src
#   CLASS_PATH  pyspark's jars, SPARK_HOME/jars/*; for services also Delta's, for logstore also those of S3
set -eu
sources=$1 class_path=$2 jar=$3
bin=${JAVA_HOME:+$JAVA_HOME/bin/}
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find "$sources" -name '*.java' | sort >"$work/sources"
"${bin}javac" --release 17 -encoding UTF-8 -g -Xlint:all,-classfile,-path,-processing -Werror -proc:none \
    -cp "$class_path" -d "$work/classes" "@$work/sources"
(cd "$work/classes" && find . -name '*.class' | sed 's|^\./||' | sort >"$work/entries")
mkdir -p "$(dirname "$jar")"
# No manifest, because it names the JDK's vendor. A jar has no times before 1980.
(cd "$work/classes" && "${bin}jar" --create --file "$work/jar" --no-manifest \
    --date 1980-01-02T00:00:00Z "@$work/entries")
mv "$work/jar" "$jar"
