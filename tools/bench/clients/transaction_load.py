"""Transactions with librdkafka through confluent-kafka, default settings, for `pnpm bench:txn`: transaction_load.py SERVERS TO RECORDS SECONDS.

SERVERS `mock`: librdkafka's own broker, in memory and in this process, which tells what the client allows.
Prints one line of JSON: transactions per second, records per second, and how long commits took (ms).
"""
import json
import sys
import time

from confluent_kafka import Producer

WARM_SECONDS = 2


def main(servers, to, records, seconds):
    cluster = {"test.mock.num.brokers": 1} if servers == "mock" else {"bootstrap.servers": servers}
    producer = Producer({**cluster, "transactional.id": "bench-librdkafka"})
    producer.init_transactions(30)
    value = bytes(100)
    commits = []
    begun = time.perf_counter()
    from_ = last = 0.0
    while time.perf_counter() < begun + WARM_SECONDS + seconds:
        producer.begin_transaction()
        for _ in range(records):
            producer.produce(to, value)
        asked = time.perf_counter()
        producer.commit_transaction(30)
        last = time.perf_counter()
        if last < begun + WARM_SECONDS:
            continue
        if from_ == 0.0:
            from_ = last
        else:
            commits.append((last - asked) * 1000)
    commits.sort()
    per_second = len(commits) / (last - from_)
    figures = {"transactionsPerSecond": per_second, "recordsPerSecond": per_second * records}
    print(json.dumps({**figures, "p50": commits[len(commits) // 2], "p99": commits[len(commits) * 99 // 100]}))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
