"""kafka-python, default settings."""
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic, OffsetSpec
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from group_members import GroupMembers
from line_json import letter_in, serve, text

WAIT_S = 30


class Driver:
    def open(self, bootstrapServers):
        self.servers = bootstrapServers
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrapServers)
        self.members = GroupMembers(lambda topic, configs: GroupReader(bootstrapServers, topic, configs))

    def write(self, topic, codec, letters):
        producer = KafkaProducer(bootstrap_servers=self.servers, compression_type=None if codec == "none" else codec)
        try:
            for sent in [producer.send(topic, **letter) for letter in map(letter_in, letters)]:
                sent.get(WAIT_S)
        finally:
            producer.close()

    def read(self, counts):
        consumer = KafkaConsumer(bootstrap_servers=self.servers, auto_offset_reset="earliest")
        try:
            consumer.assign([TopicPartition(t, p) for t in counts for p in consumer.partitions_for_topic(t)])
            found = []
            while len(found) < sum(counts.values()):
                polled = consumer.poll(timeout_ms=WAIT_S * 1000)
                if not polled:
                    raise RuntimeError(f"only {len(found)} records came")
                found += [shown(record) for records in polled.values() for record in records]
            return found
        finally:
            consumer.close()

    def createTopic(self, name, partitions, configs):
        self.admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])

    def listTopics(self):
        return self.admin.list_topics()

    def partitionsOf(self, topic):
        found = self.admin.describe_topics([topic])[0]["partitions"]
        return sum(1 for partition in found if partition["leader_id"] >= 0)

    def addPartitions(self, topic, total):
        self.admin.create_partitions({topic: total})

    def configOf(self, topic, name):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        return self.admin.describe_configs([resource], config_filter="all")["topic"][topic][name]["value"]

    def setConfig(self, topic, name, value):
        self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})])

    def endOffset(self, topic, partition):
        return self.offset(topic, partition, OffsetSpec.LATEST)

    def beginningOffset(self, topic, partition):
        return self.offset(topic, partition, OffsetSpec.EARLIEST)

    def offset(self, topic, partition, spec):
        place = TopicPartition(topic, partition)
        return self.admin.list_partition_offsets({place: spec})[place].offset

    def deleteRecords(self, topic, partition, before):
        self.admin.delete_records({TopicPartition(topic, partition): before})

    def deleteTopic(self, topic):
        self.admin.delete_topics([topic])

    def cluster(self):
        found = self.admin.describe_cluster()
        nodes = [{"id": node["broker_id"], "host": node["host"], "port": node["port"]} for node in found["brokers"]]
        return {"clusterId": found["cluster_id"], "nodes": nodes}

    def joinGroup(self, **params):
        return self.members.join(**params)

    def leaveGroup(self, id):
        return self.members.leave(id)

    def close(self):
        self.admin.close()


ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


class GroupReader:
    def __init__(self, servers, topic, configs):
        named = {name.replace(".", "_"): value for name, value in configs.items()}
        strategy = [ASSIGNORS[named.pop("partition_assignment_strategy")]]
        self.consumer = KafkaConsumer(topic, bootstrap_servers=servers, partition_assignment_strategy=strategy, **named)
        # A leader that hears of its topic only after its first join joins again and may lose the answer (FINDINGS, kafka-python 2).
        self.consumer.partitions_for_topic(topic)

    def poll(self):
        polled = self.consumer.poll(timeout_ms=50)
        return [(each.partition, each.offset, each.value.decode()) for records in polled.values() for each in records]

    def owned(self):
        return [each.partition for each in self.consumer.assignment()]

    def close(self):
        self.consumer.close()


def shown(record):
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": text(record.key),
        "value": text(record.value),
        "headers": [[name, text(content)] for name, content in record.headers],
    }


serve(Driver())
