#!/usr/bin/env bash
# Runs Spark's history server: the pages of finished applications, from their event logs.
#   HISTORY_PORT                        of its pages (18080)
#   HISTORY_DAYS                        event logs older than this are deleted (14)
#   SPARK_DAEMON_MEMORY                 its heap (320m)
# The logs' folder is `spark.eventLog.dir` in spark-defaults.conf.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
port=${HISTORY_PORT:-18080}
logs=${SPARK_EVENT_LOGS:-$(awk '$1 == "spark.eventLog.dir" { print $2 }' "$SPARK_CONF_DIR/spark-defaults.conf")}
[ -n "$logs" ] ||
    refuse GS928 "No folder for event logs is set." "Set spark.eventLog.dir in spark-defaults.conf, or SPARK_EVENT_LOGS."
require_free_port "$SPARK_LOCAL_IP" "$port" "the history server" HISTORY_PORT

export SPARK_DAEMON_MEMORY=${SPARK_DAEMON_MEMORY:-320m}
# The settings of every Spark process switch web pages off, and no page here ends a job. It keeps few applications in
# memory and reads the others anew.
export SPARK_HISTORY_OPTS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dspark.history.fs.logDirectory=$logs -Dspark.history.ui.port=$port\
 -Dspark.port.maxRetries=0 -Dspark.history.fs.cleaner.enabled=true -Dspark.history.fs.cleaner.maxAge=${HISTORY_DAYS:-14}d\
 -Dspark.history.fs.update.interval=10s -Dspark.history.fs.numReplayThreads=1 -Dspark.history.retainedApplications=5 ${SPARK_HISTORY_OPTS:-}"
exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.history.HistoryServer
