#!/usr/bin/env bash
# Runs the Hive Metastore from Spark's own jars. The first start creates the schema, later starts check it.
#   METASTORE_DB_HOST, _PORT, _NAME, _USER, _PASSWORD   its PostgreSQL database
#   METASTORE_HOST, METASTORE_PORT                      the listen address (127.0.0.1, 9083)
#   METASTORE_GATEWAY                                   refuse this address and all other networks
#   METASTORE_MEMORY                                    its heap (256m)
#   METASTORE_DB_WAIT                                   seconds to wait for the database (60)
#   METASTORE_WAREHOUSE                                 the path of the database `default`
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../spark/bin/common.sh"
export METASTORE_HOST=${METASTORE_HOST:-$SPARK_LOCAL_IP} METASTORE_PORT=${METASTORE_PORT:-9083}

if [ -z "${METASTORE_DB_PASSWORD:-}" ]; then
    refuse GS923 "METASTORE_DB_PASSWORD is not set." "Run \`make env\`, which writes it to .env."
fi
require_free_port "$METASTORE_HOST" "$METASTORE_PORT" "the metastore" METASTORE_PORT
# The class path starts with the configuration: Hive's own, then S3's settings.
class_path=$HIVE_CONF_DIR:$SPARK_CONF_DIR${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}:$SPARK_HOME/jars/*
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "-Xmx${METASTORE_MEMORY:-256m}" -XX:+UseSerialGC -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError \
    "-Dlog4j2.configurationFile=$HIVE_CONF_DIR/hive-log4j2.properties" \
    -cp "$class_path" io.goldsmith.services.MetastoreServer
