"""The calls of Apache Kafka's tools, in the order in which they are made: later ones find what earlier ones did."""
# ruff: noqa: E501  (a table is read across)

from __future__ import annotations

import json
from dataclasses import dataclass, field

TOOLS = "org.apache.kafka.tools."
TOPICS, CONFIGS, GROUPS = (
    f"{TOOLS}TopicCommand",
    "kafka.admin.ConfigCommand",
    f"{TOOLS}consumer.group.ConsumerGroupCommand",
)
PRODUCER, CONSUMER = f"{TOOLS}ConsoleProducer", f"{TOOLS}consumer.ConsoleConsumer"
ACLS = f"{TOOLS}AclCommand"
TRANSACTIONS, OFFSETS = f"{TOOLS}TransactionsCommand", f"{TOOLS}GetOffsetShell"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a tool. In arguments SERVERS stands for the broker's address and DIRECTORY for a temporary directory."""

    name: str
    tool: str
    arguments: str
    stdin: str = ""
    files: dict[str, str] = field(default_factory=dict[str, str])
    """Files to write into the directory first."""


def offsets_file(offset: int) -> dict[str, str]:
    return {
        "offsets.json": json.dumps({"partitions": [{"topic": "t", "partition": 0, "offset": offset}], "version": 1})
    }


REASSIGNMENT = {
    "reassign.json": json.dumps({"version": 1, "partitions": [{"topic": "t", "partition": 0, "replicas": [1]}]}),
    "move.json": json.dumps({"version": 1, "topics": [{"topic": "t"}]}),
}
READ = "--bootstrap-server SERVERS --timeout-ms 8000"
AT = "--bootstrap-server SERVERS"

STEPS = (
    Step("topics: none", TOPICS, f"{AT} --list"),
    Step("topics: create", TOPICS, f"{AT} --create --topic t --partitions 2 --config retention.ms=-1"),
    Step("topics: create a compacted one", TOPICS, f"{AT} --create --topic compacted --config cleanup.policy=compact"),
    Step("topics: create what is there", TOPICS, f"{AT} --create --topic t"),
    Step("topics: create if it is not there", TOPICS, f"{AT} --create --topic t --if-not-exists"),
    Step("topics: create with a bad name", TOPICS, f"{AT} --create --topic b%d"),
    Step("topics: create with a bad config", TOPICS, f"{AT} --create --topic bad --config retention.ms=soon"),
    Step("topics: create with an unknown config", TOPICS, f"{AT} --create --topic bad --config no.such=1"),
    Step("topics: list", TOPICS, f"{AT} --list"),
    Step("topics: describe", TOPICS, f"{AT} --describe --topic t"),
    Step("topics: describe an unknown one", TOPICS, f"{AT} --describe --topic unknown"),
    Step("topics: describe all with overrides", TOPICS, f"{AT} --describe --topics-with-overrides"),
    Step("topics: describe what is under-replicated", TOPICS, f"{AT} --describe --under-replicated-partitions"),
    Step("topics: widen", TOPICS, f"{AT} --alter --topic t --partitions 3"),
    Step("topics: narrow", TOPICS, f"{AT} --alter --topic t --partitions 1"),
    Step("configs: describe a topic", CONFIGS, f"{AT} --entity-type topics --entity-name t --describe"),
    Step("configs: describe all of a topic", CONFIGS, f"{AT} --entity-type topics --entity-name t --describe --all"),
    Step("configs: describe topics", CONFIGS, f"{AT} --entity-type topics --describe"),
    Step("configs: set", CONFIGS, f"{AT} --entity-type topics --entity-name t --alter --add-config segment.bytes=2000000"),
    Step("configs: set a bad one", CONFIGS, f"{AT} --entity-type topics --entity-name t --alter --add-config segment.bytes=x"),
    Step("configs: delete", CONFIGS, f"{AT} --entity-type topics --entity-name t --alter --delete-config segment.bytes"),
    Step("configs: unknown topic", CONFIGS, f"{AT} --entity-type topics --entity-name unknown --describe"),
    Step("configs: set for the broker", CONFIGS, f"{AT} --entity-type brokers --entity-name 1 --alter --add-config log.cleaner.threads=2"),
    Step("configs: describe the broker", CONFIGS, f"{AT} --entity-type brokers --entity-name 1 --describe"),
    Step("configs: set for all brokers", CONFIGS, f"{AT} --entity-type brokers --entity-default --alter --add-config log.retention.ms=99999999999"),
    Step("configs: describe all brokers", CONFIGS, f"{AT} --entity-type brokers --entity-default --describe"),
    Step("configs: quota of a user", CONFIGS, f"{AT} --entity-type users --entity-name ada --alter --add-config consumer_byte_rate=1000000000"),
    Step("configs: describe users", CONFIGS, f"{AT} --entity-type users --describe"),
    Step("configs: quota of a client", CONFIGS, f"{AT} --entity-type clients --entity-default --alter --add-config producer_byte_rate=2000000000"),
    Step("configs: describe clients", CONFIGS, f"{AT} --entity-type clients --describe"),
    Step("configs: SCRAM of a user", CONFIGS, f"{AT} --entity-type users --entity-name ada --alter --add-config SCRAM-SHA-256=[iterations=8192,password=secret]"),
    Step("configs: describe a user", CONFIGS, f"{AT} --entity-type users --entity-name ada --describe"),
    Step("configs: SCRAM of another strength", CONFIGS, f"{AT} --entity-type users --entity-name ada --alter --add-config SCRAM-SHA-512=[password=secret]"),
    Step("configs: SCRAM with too few iterations", CONFIGS, f"{AT} --entity-type users --entity-name ada --alter --add-config SCRAM-SHA-256=[iterations=1,password=secret]"),
    Step("configs: delete SCRAM", CONFIGS, f"{AT} --entity-type users --entity-name ada --alter --delete-config SCRAM-SHA-256"),
    Step("configs: delete SCRAM that is not there", CONFIGS, f"{AT} --entity-type users --entity-name bob --alter --delete-config SCRAM-SHA-256"),
    Step("configs: describe a user again", CONFIGS, f"{AT} --entity-type users --entity-name ada --describe"),
    Step("configs: of a group", CONFIGS, f"{AT} --entity-type groups --entity-name g --alter --add-config consumer.session.timeout.ms=50000"),
    Step("configs: describe a group", CONFIGS, f"{AT} --entity-type groups --entity-name g --describe"),
    Step("configs: connections of an address", CONFIGS, f"{AT} --entity-type ips --entity-name 127.0.0.1 --alter --add-config connection_creation_rate=1000"),
    Step("configs: describe addresses", CONFIGS, f"{AT} --entity-type ips --describe"),
    Step("configs: loggers", CONFIGS, f"{AT} --entity-type broker-loggers --entity-name 1 --alter --add-config org.apache.kafka=WARN"),
    Step("console: produce", PRODUCER, f"{AT} --topic t --reader-property parse.key=true --reader-property key.separator=:", stdin="a:1\nb:2\nc:3\na:4\n"),
    Step("console: produce with idempotence and zstd", PRODUCER, f"{AT} --topic compacted --compression-codec zstd --reader-property parse.key=true --reader-property key.separator=: --command-property enable.idempotence=true", stdin="a:1\na:2\n"),
    Step("console: produce without a key to a compacted topic", PRODUCER, f"{AT} --topic compacted", stdin="x\n"),
    Step("console: consume", CONSUMER, f"{READ} --topic t --from-beginning --max-messages 4 --formatter-property print.key=true --formatter-property print.offset=true --formatter-property print.partition=true"),
    Step("console: consume a partition", CONSUMER, f"{READ} --topic compacted --partition 0 --offset 1 --max-messages 1 --isolation-level read_committed"),
    Step("console: consume as a group", CONSUMER, f"{READ} --topic t --from-beginning --group g --max-messages 4"),
    Step("console: consume by the consumer protocol", CONSUMER, f"{READ} --topic t --from-beginning --group new --max-messages 4 --command-property group.protocol=consumer"),
    Step("console: consume by pattern", CONSUMER, f"{READ} --include comp.* --from-beginning --max-messages 2"),
    Step("offsets: latest", OFFSETS, f"{AT} --topic t"),
    Step("offsets: earliest", OFFSETS, f"{AT} --topic t --time earliest"),
    Step("offsets: greatest timestamp", OFFSETS, f"{AT} --topic compacted --time max-timestamp"),
    Step("offsets: by time", OFFSETS, f"{AT} --topic t --time 1000"),
    Step("offsets: all topics", OFFSETS, f"{AT}"),
    Step("groups: list", GROUPS, f"{AT} --list"),
    Step("groups: list with states", GROUPS, f"{AT} --list --state"),
    Step("groups: list with types", GROUPS, f"{AT} --list --type"),
    Step("groups: all kinds", f"{TOOLS}GroupsCommand", f"{AT} --list"),
    Step("groups: describe", GROUPS, f"{AT} --describe --group g"),
    Step("groups: describe the new one", GROUPS, f"{AT} --describe --group new"),
    Step("groups: describe state", GROUPS, f"{AT} --describe --group g --state"),
    Step("groups: describe members", GROUPS, f"{AT} --describe --group g --members --verbose"),
    Step("groups: describe an unknown one", GROUPS, f"{AT} --describe --group unknown"),
    Step("groups: reset, dry", GROUPS, f"{AT} --reset-offsets --group g --topic t --to-earliest --dry-run"),
    Step("groups: reset", GROUPS, f"{AT} --reset-offsets --group g --topic t:0 --to-offset 0 --execute"),
    Step("groups: reset to a time", GROUPS, f"{AT} --reset-offsets --group g --topic t --to-datetime 2020-01-01T00:00:00.000 --execute"),
    Step("groups: reset by a shift", GROUPS, f"{AT} --reset-offsets --group g --topic t --shift-by 1 --execute"),
    Step("groups: reset of an unknown group", GROUPS, f"{AT} --reset-offsets --group fresh --topic t --to-latest --execute"),
    Step("groups: delete offsets", GROUPS, f"{AT} --delete-offsets --group g --topic t"),
    Step("groups: delete", GROUPS, f"{AT} --delete --group g --group fresh"),
    Step("groups: delete an unknown one", GROUPS, f"{AT} --delete --group unknown"),
    Step("transactions: list", TRANSACTIONS, f"{AT} list"),
    Step("performance: transactional producer", f"{TOOLS}ProducerPerformance", f"{AT} --topic t --num-records 2000 --record-size 100 --throughput -1 --transactional-id tx --transaction-duration-ms 50"),
    Step("transactions: list one", TRANSACTIONS, f"{AT} list"),
    Step("transactions: describe", TRANSACTIONS, f"{AT} describe --transactional-id tx"),
    Step("transactions: describe an unknown one", TRANSACTIONS, f"{AT} describe --transactional-id unknown"),
    Step("transactions: producers", TRANSACTIONS, f"{AT} describe-producers --topic compacted --partition 0"),
    Step("transactions: hanging", TRANSACTIONS, f"{AT} find-hanging --broker-id 1 --max-transaction-timeout 15"),
    Step("transactions: terminate", TRANSACTIONS, f"{AT} forceTerminateTransaction --transactional-id tx"),
    Step("performance: producer", f"{TOOLS}ProducerPerformance", f"{AT} --topic perf --num-records 20000 --record-size 100 --throughput -1"),
    Step("performance: consumer", f"{TOOLS}ConsumerPerformance", f"{AT} --topic perf --num-records 20000 --timeout 10000"),
    Step("performance: consumer of the consumer protocol", f"{TOOLS}ConsumerPerformance", f"{AT} --topic perf --num-records 20000 --timeout 10000 --command-property group.protocol=consumer"),
    Step("performance: end to end", f"{TOOLS}EndToEndLatency", f"{AT} --topic e2e --num-records 50 --producer-acks all --record-size 100"),
    Step("records: delete", f"{TOOLS}DeleteRecordsCommand", f"{AT} --offset-json-file DIRECTORY/offsets.json", files=offsets_file(1)),
    Step("records: delete beyond the end", f"{TOOLS}DeleteRecordsCommand", f"{AT} --offset-json-file DIRECTORY/offsets.json", files=offsets_file(9_999_999)),
    Step("offsets: earliest after deletion", OFFSETS, f"{AT} --topic-partitions t:0 --time earliest"),
    Step("log directories", f"{TOOLS}LogDirsCommand", f"{AT} --describe --topic-list compacted"),
    Step("versions", f"{TOOLS}BrokerApiVersionsCommand", AT),
    Step("cluster: id", f"{TOOLS}ClusterTool", f"cluster-id {AT}"),
    Step("cluster: endpoints", f"{TOOLS}ClusterTool", f"list-endpoints {AT}"),
    Step("quorum: status", f"{TOOLS}MetadataQuorumCommand", f"{AT} describe --status"),
    Step("quorum: replication", f"{TOOLS}MetadataQuorumCommand", f"{AT} describe --replication"),
    Step("features: describe", f"{TOOLS}FeatureCommand", f"{AT} describe"),
    Step("features: downgrade, dry", f"{TOOLS}FeatureCommand", f"{AT} downgrade --feature transaction.version=1 --dry-run"),
    Step("leaders: elect", f"{TOOLS}LeaderElectionCommand", f"{AT} --election-type preferred --topic t --partition 0"),
    Step("leaders: elect for all", f"{TOOLS}LeaderElectionCommand", f"{AT} --election-type preferred --all-topic-partitions"),
    Step("reassignment: generate", f"{TOOLS}reassign.ReassignPartitionsCommand", f"{AT} --generate --broker-list 1 --topics-to-move-json-file DIRECTORY/move.json", files=REASSIGNMENT),
    Step("reassignment: execute", f"{TOOLS}reassign.ReassignPartitionsCommand", f"{AT} --execute --reassignment-json-file DIRECTORY/reassign.json", files=REASSIGNMENT),
    Step("reassignment: verify", f"{TOOLS}reassign.ReassignPartitionsCommand", f"{AT} --verify --reassignment-json-file DIRECTORY/reassign.json", files=REASSIGNMENT),
    Step("reassignment: list", f"{TOOLS}reassign.ReassignPartitionsCommand", f"{AT} --list"),
    Step("ACLs: list none", ACLS, f"{AT} --list"),
    Step("ACLs: add", ACLS, f"{AT} --add --allow-principal User:ada --allow-principal User:bob --operation Read --operation Describe --topic t"),
    Step("ACLs: add what is there", ACLS, f"{AT} --add --allow-principal User:ada --operation Read --topic t"),
    Step("ACLs: deny", ACLS, f"{AT} --add --deny-principal User:eve --deny-host 10.0.0.1 --operation All --topic t"),
    Step("ACLs: add for a prefix", ACLS, f"{AT} --add --allow-principal User:ada --operation Write --topic t- --resource-pattern-type prefixed"),
    Step("ACLs: add for all groups", ACLS, f"{AT} --add --allow-principal User:* --operation Read --group *"),
    Step("ACLs: add for the cluster", ACLS, f"{AT} --add --allow-principal User:ada --operation AlterConfigs --cluster"),
    Step("ACLs: add for a transactional id", ACLS, f"{AT} --add --allow-principal User:ada --operation Write --transactional-id tx"),
    Step("ACLs: add for a user", ACLS, f"{AT} --add --allow-principal User:ada --operation CreateTokens --user-principal User:bob"),
    Step("ACLs: add as a producer", ACLS, f"{AT} --add --allow-principal User:pat --producer --idempotent --topic out --transactional-id p"),
    Step("ACLs: add as a consumer", ACLS, f"{AT} --add --allow-principal User:con --consumer --topic in --group readers"),
    Step("ACLs: an operation that a topic has not", ACLS, f"{AT} --add --allow-principal User:ada --operation IdempotentWrite --topic t"),
    Step("ACLs: list", ACLS, f"{AT} --list"),
    Step("ACLs: list of a topic", ACLS, f"{AT} --list --topic t"),
    Step("ACLs: list what matches a topic", ACLS, f"{AT} --list --topic t-1 --resource-pattern-type match"),
    Step("ACLs: list of a principal", ACLS, f"{AT} --list --principal User:ada"),
    Step("ACLs: remove one", ACLS, f"{AT} --remove --force --allow-principal User:bob --operation Read --topic t"),
    Step("ACLs: remove those of a topic", ACLS, f"{AT} --remove --force --topic t"),
    Step("ACLs: remove what is not there", ACLS, f"{AT} --remove --force --topic unknown"),
    Step("ACLs: list the rest", ACLS, f"{AT} --list"),
    Step("client metrics: list none", f"{TOOLS}ClientMetricsCommand", f"{AT} --list"),
    Step("client metrics: alter", f"{TOOLS}ClientMetricsCommand", f"{AT} --alter --name all --metrics org.apache.kafka.producer. --interval 30000"),
    Step("client metrics: describe", f"{TOOLS}ClientMetricsCommand", f"{AT} --describe --name all"),
    Step("client metrics: list", f"{TOOLS}ClientMetricsCommand", f"{AT} --list"),
    Step("client metrics: delete", f"{TOOLS}ClientMetricsCommand", f"{AT} --delete --name all"),
    Step("streams: reset", f"{TOOLS}StreamsResetter", f"{AT} --application-id app --input-topics t --force"),
    Step("verifiable producer", f"{TOOLS}VerifiableProducer", f"{AT} --topic perf --max-messages 3 --throughput -1"),
    Step("replicas", f"{TOOLS}ReplicaVerificationTool", "--broker-list SERVERS --topics-include compacted --report-interval-ms 500 --time -2"),
    Step("topics: delete", TOPICS, f"{AT} --delete --topic compacted"),
    Step("topics: delete an unknown one", TOPICS, f"{AT} --delete --topic unknown"),
)  # fmt: skip
