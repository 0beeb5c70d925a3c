#!/bin/sh
# Entry point of the Kafka image: a combined KRaft node from KAFKA_* variables.
#
# It lies where the public apache/kafka image has its own, and reads the same variables in the same
# way: KAFKA_LOG_DIRS is log.dirs, `__` stands for `_` and `___` for `-`.
set -eu

properties=/tmp/server.properties
tuning="-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError --enable-native-access=ALL-UNNAMED"

awk '
BEGIN {
    for (variable in ENVIRON) {
        if (variable !~ /^KAFKA_/ || variable ~ /_OPTS$/ || variable ~ /^KAFKA_JMX_/) continue
        name = tolower(substr(variable, 7))
        gsub(/___/, "-", name)
        gsub(/__/, "\001", name)
        gsub(/_/, ".", name)
        gsub(/\001/, "_", name)
        print name "=" ENVIRON[variable]
    }
}' >"$properties"

# shellcheck disable=SC2086 # options are several words
java -Xmx64m -XX:TieredStopAtLevel=1 $tuning -cp '/opt/kafka/libs/*' \
    kafka.tools.StorageTool format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$properties"

# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:--Xmx512m} $tuning ${KAFKA_OPTS:-} \
    -cp '/opt/kafka/libs/*' kafka.Kafka "$properties"
