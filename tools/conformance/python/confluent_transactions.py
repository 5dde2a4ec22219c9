"""Transactions of librdkafka through confluent-kafka, default settings: commit, abort, fence, and a copy from topic to topic with offsets in its transactions."""
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

WAIT_S = 30


class Transactions:
    def __init__(self, servers):
        self.common = {"bootstrap.servers": servers}
        self.groups = 0

    def transact(self, topic, transactionalId, transactions):
        producer = self.producer(transactionalId)
        for transaction in transactions:
            producer.begin_transaction()
            for value in transaction["values"]:
                producer.produce(topic, value.encode())
            if transaction["commit"]:
                producer.commit_transaction(WAIT_S)
            else:
                producer.flush(WAIT_S)
                producer.abort_transaction(WAIT_S)

    def fence(self, topic, transactionalId, zombie, successor):
        """What the older of two producers with one id is told."""
        older = self.producer(transactionalId)
        older.begin_transaction()
        older.produce(topic, zombie.encode())
        older.flush(WAIT_S)
        newer = self.producer(transactionalId)
        newer.begin_transaction()
        newer.produce(topic, successor.encode())
        newer.commit_transaction(WAIT_S)
        try:
            older.commit_transaction(WAIT_S)
            return "it was not refused"
        except KafkaException as refused:
            return str(refused)

    def copy(self, transactionalId, groupId, to, count, perTransaction, **places):
        """Consume, transform, produce: every second transaction is aborted first, and its records are read again from where the group stands."""
        producer = self.producer(transactionalId)
        consumer = self.consumer(groupId)
        consumer.subscribe([places["from"]])
        aborts = False
        try:
            while count > 0:
                messages = consumer.consume(perTransaction, WAIT_S if count >= perTransaction else 1)
                if not messages:
                    raise RuntimeError(f"{count} records did not come")
                aborts = not aborts
                producer.begin_transaction()
                for message in messages:
                    producer.produce(to, message.value(), message.key(), message.partition())
                positions = consumer.position(consumer.assignment())
                producer.send_offsets_to_transaction(
                    [position for position in positions if position.offset >= 0], consumer.consumer_group_metadata(), WAIT_S
                )
                if aborts:
                    producer.abort_transaction(WAIT_S)
                    for committed in consumer.committed(consumer.assignment(), WAIT_S):
                        if committed.offset < 0:
                            committed.offset = OFFSET_BEGINNING
                        consumer.seek(committed)
                else:
                    producer.commit_transaction(WAIT_S)
                    count -= len(messages)
        finally:
            consumer.close()

    def read_committed(self, topic):
        """Values of a topic up to the `end` of each partition, read_committed."""
        self.groups += 1
        consumer = self.consumer(f"confluent-reader-{self.groups}")
        try:
            partitions = consumer.list_topics(topic, WAIT_S).topics[topic].partitions
            consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
            values, ends = [], 0
            while ends < len(partitions):
                message = consumer.poll(WAIT_S)
                if message is None or message.error():
                    raise RuntimeError(f"no end came after {values}")
                value = message.value().decode()
                if value == "end":
                    ends += 1
                else:
                    values.append(value)
            return values
        finally:
            consumer.close()

    def producer(self, transactional_id):
        producer = Producer({**self.common, "transactional.id": transactional_id})
        producer.init_transactions(WAIT_S)
        return producer

    def consumer(self, group_id):
        return Consumer({
            **self.common,
            "group.id": group_id,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        })
