#!/usr/bin/env bash
# Runs a standalone master, with Spark's own variables:
#   SPARK_MASTER_HOST, SPARK_MASTER_PORT, SPARK_MASTER_WEBUI_PORT   (SPARK_LOCAL_IP, 7077, 8080)
#   SPARK_MASTER_RECOVERY_DIR                                       the stored state for a restarted master
#   SPARK_DAEMON_MEMORY                                             its heap (256m)
#   _SPARK_AUTH_SECRET                                              the secret that drivers and workers need
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
host=${SPARK_MASTER_HOST:-$SPARK_LOCAL_IP} port=${SPARK_MASTER_PORT:-7077} ui=${SPARK_MASTER_WEBUI_PORT:-8080}
recovery=${SPARK_MASTER_RECOVERY_DIR:-/var/spark/recovery}

require_free_port "$host" "$port" "the Spark master" SPARK_MASTER_PORT
require_free_port "$host" "$ui" "the Spark master's web UI" SPARK_MASTER_WEBUI_PORT
mkdir -p "$recovery" 2>/dev/null && [ -w "$recovery" ] ||
    refuse GS924 "The master cannot write $recovery." "Set SPARK_MASTER_RECOVERY_DIR to a persistent folder of its own."
# The REST server would accept jobs from anyone, and if its fixed port is in use the master's start stays incomplete.
# Without recovery a restarted master makes the workers kill the executors of running jobs, which then wait forever.
# Workers that were lost for some minutes, as when the machine sleeps, can reconnect for a week.
export SPARK_DAEMON_MEMORY=${SPARK_DAEMON_MEMORY:-256m}
options=$(daemon_options)
# On its page anyone could stop applications.
export SPARK_DAEMON_JAVA_OPTS="-XX:+UseSerialGC $options -Dspark.ui.killEnabled=false -Dspark.port.maxRetries=0 -Dspark.master.rest.enabled=false\
 -Dspark.deploy.recoveryMode=FILESYSTEM -Dspark.deploy.recoveryDirectory=$recovery -Dspark.deploy.retainedApplications=50\
 -Dspark.dead.worker.persistence=10080 ${SPARK_DAEMON_JAVA_OPTS:-}"
exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.master.Master --host "$host" --port "$port" --webui-port "$ui"
