"""librdkafka through confluent-kafka, default settings."""
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)
from confluent_transactions import Transactions
from group_members import GroupMembers
from line_json import letter_in, serve, text

WAIT_S = 30


class Driver:
    def open(self, bootstrapServers):
        self.common = {"bootstrap.servers": bootstrapServers}
        self.admin = AdminClient(self.common)
        self.groups = 0
        self.transactions = Transactions(bootstrapServers)
        self.members = GroupMembers(lambda topic, configs: GroupReader({**self.common, **configs}, topic))

    def write(self, topic, codec, letters):
        producer = Producer({**self.common, "compression.type": codec})
        failures = []
        for letter in map(letter_in, letters):
            producer.produce(topic, on_delivery=lambda error, _: error and failures.append(str(error)), **letter)
        if producer.flush(WAIT_S) > 0 or failures:
            raise RuntimeError("; ".join(failures) or "not delivered in time")

    def read(self, counts):
        self.groups += 1
        consumer = Consumer({**self.common, "group.id": f"confluent-{self.groups}", "enable.auto.commit": False})
        try:
            topics = consumer.list_topics(timeout=WAIT_S).topics
            consumer.assign([TopicPartition(t, p, 0) for t in counts for p in topics[t].partitions])
            found = []
            while len(found) < sum(counts.values()):
                message = consumer.poll(WAIT_S)
                if message is None:
                    raise RuntimeError(f"only {len(found)} records came")
                if message.error():
                    raise RuntimeError(str(message.error()))
                found.append(shown(message))
            return found
        finally:
            consumer.close()

    def createTopic(self, name, partitions, configs):
        wait(self.admin.create_topics([NewTopic(name, partitions, config=configs)]))

    def listTopics(self):
        return list(self.admin.list_topics(timeout=WAIT_S).topics)

    def partitionsOf(self, topic):
        found = self.admin.list_topics(topic, timeout=WAIT_S).topics[topic].partitions.values()
        return sum(1 for partition in found if partition.leader >= 0)

    def addPartitions(self, topic, total):
        wait(self.admin.create_partitions([NewPartitions(topic, total)]))

    def configOf(self, topic, name):
        resource = ConfigResource(ResourceType.TOPIC, topic)
        return wait(self.admin.describe_configs([resource]))[0][name].value

    def setConfig(self, topic, name, value):
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        wait(self.admin.incremental_alter_configs([resource]))

    def endOffset(self, topic, partition):
        return self.offset(topic, partition, OffsetSpec.latest())

    def beginningOffset(self, topic, partition):
        return self.offset(topic, partition, OffsetSpec.earliest())

    def offset(self, topic, partition, spec):
        return wait(self.admin.list_offsets({TopicPartition(topic, partition): spec}))[0].offset

    def deleteRecords(self, topic, partition, before):
        wait(self.admin.delete_records([TopicPartition(topic, partition, before)]))

    def deleteTopic(self, topic):
        wait(self.admin.delete_topics([topic]))

    def cluster(self):
        found = self.admin.describe_cluster().result(WAIT_S)
        return {
            "clusterId": found.cluster_id,
            "nodes": [{"id": node.id, "host": node.host, "port": node.port} for node in found.nodes],
        }

    def transact(self, **params):
        return self.transactions.transact(**params)

    def fence(self, **params):
        return self.transactions.fence(**params)

    def copy(self, **params):
        return self.transactions.copy(**params)

    def readCommitted(self, topic):
        return self.transactions.read_committed(topic)

    def joinGroup(self, **params):
        return self.members.join(**params)

    def leaveGroup(self, id):
        return self.members.leave(id)

    def close(self):
        pass


class GroupReader:
    def __init__(self, configs, topic):
        self.consumer = Consumer(configs)
        self.consumer.subscribe([topic])

    def poll(self):
        message = self.consumer.poll(0.05)
        if message is None:
            return []
        if message.error():
            raise RuntimeError(str(message.error()))
        return [(message.partition(), message.offset(), message.value().decode())]

    def owned(self):
        return [each.partition for each in self.consumer.assignment()]

    def close(self):
        self.consumer.close()


def wait(futures):
    return [future.result(WAIT_S) for future in futures.values()]


def shown(message):
    return {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "key": text(message.key()),
        "value": text(message.value()),
        "headers": [[name, text(content)] for name, content in message.headers() or []],
    }


serve(Driver())
