#!/usr/bin/env bash
# Runs a standalone master. Spark's own variables say where:
#   SPARK_MASTER_HOST, SPARK_MASTER_PORT, SPARK_MASTER_WEBUI_PORT   (SPARK_LOCAL_IP, 7077, 8080)
#   SPARK_MASTER_RECOVERY_DIR                                       what a master that comes back goes on from
#   SPARK_DAEMON_MEMORY                                             its heap (256m)
#   _SPARK_AUTH_SECRET                                              without it a driver or worker is not let in
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
host=${SPARK_MASTER_HOST:-$SPARK_LOCAL_IP} port=${SPARK_MASTER_PORT:-7077} ui=${SPARK_MASTER_WEBUI_PORT:-8080}
recovery=${SPARK_MASTER_RECOVERY_DIR:-/var/spark/recovery}

require_free_port "$host" "$port" "the Spark master" SPARK_MASTER_PORT
require_free_port "$host" "$ui" "the Spark master's web page" SPARK_MASTER_WEBUI_PORT
mkdir -p "$recovery" 2>/dev/null && [ -w "$recovery" ] ||
    refuse GS924 "The master cannot write $recovery." "Set SPARK_MASTER_RECOVERY_DIR to a folder of its own that lasts."
# The REST server would take jobs from anyone, and where its fixed port is taken the master stays half started.
# Without recovery a master that comes back has the workers kill the executors of every running job, which then
# waits for ever. Workers that it has dropped for some minutes, as when the machine slept, may come back for a week.
export SPARK_DAEMON_MEMORY=${SPARK_DAEMON_MEMORY:-256m}
options=$(daemon_options)
# On its page anybody could end applications.
export SPARK_DAEMON_JAVA_OPTS="-XX:+UseSerialGC $options -Dspark.ui.killEnabled=false -Dspark.port.maxRetries=0 -Dspark.master.rest.enabled=false\
 -Dspark.deploy.recoveryMode=FILESYSTEM -Dspark.deploy.recoveryDirectory=$recovery -Dspark.deploy.retainedApplications=50\
 -Dspark.dead.worker.persistence=10080 ${SPARK_DAEMON_JAVA_OPTS:-}"
exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.master.Master --host "$host" --port "$port" --webui-port "$ui"
