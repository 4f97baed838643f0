#!/bin/sh
# Creates or updates the bucket, the policies and the two users of the lake on MinIO.
# Keys come from the environment and are passed to `mc` through the environment and standard input, never as arguments.
set -eu
export MC_CONFIG_DIR="${TMPDIR:-/tmp}/mc" MC_NO_COLOR=1
MC_HOST_lake=$(printf '%s' "$STORE_URL" | sed "s|://|://$STORE_ROOT_USER:$STORE_ROOT_PASSWORD@|")
export MC_HOST_lake
here=$(dirname "$0")

mc mb --quiet --ignore-existing lake/lake
for name in jobs serving; do
    mc admin policy create lake "goldsmith-$name" "$here/policy-$name.json" >/dev/null
done
user() { # POLICY ACCESS_KEY SECRET_KEY
    printf '%s\n%s\n' "$2" "$3" | mc admin user add lake >/dev/null
    # `mc` fails if the policy is already attached.
    mc admin user info --json lake "$2" | grep -q "\"policyName\":\"$1\"" ||
        mc admin policy attach lake "$1" --user "$2" >/dev/null
}
user goldsmith-jobs "$JOBS_S3_ACCESS_KEY" "$JOBS_S3_SECRET_KEY"
user goldsmith-serving "$SERVING_S3_ACCESS_KEY" "$SERVING_S3_SECRET_KEY"
echo "The bucket lake is ready: jobs can write, serving can read."
