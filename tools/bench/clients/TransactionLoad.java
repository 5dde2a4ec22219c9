// Transactions with Kafka's own client, default settings, for `pnpm bench:txn`: `java TransactionLoad.java transactions|pipeline SERVERS FROM TO RECORDS SECONDS`.
// Prints one line of JSON: transactions per second, records per second, and how long commits took (ms).
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class TransactionLoad {
    static final double WARM_SECONDS = 2;
    /** The client sent a commit before the records (tools/conformance/FINDINGS.md, Java 2): this run says nothing. */
    static final int RUN_AGAIN = 75;

    public static void main(String[] args) {
        int records = Integer.parseInt(args[4]);
        double seconds = Double.parseDouble(args[5]);
        Properties common = new Properties();
        common.put("bootstrap.servers", args[1]);
        Properties forProducer = new Properties();
        forProducer.putAll(common);
        forProducer.put("transactional.id", "bench-java-" + args[0]);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(forProducer, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            if (args[0].equals("transactions")) sequence(producer, args[3], records, seconds);
            else pipeline(producer, common, args[2], args[3], records, seconds);
        } catch (InvalidTxnStateException e) {
            System.err.println(e);
            System.exit(RUN_AGAIN);
        }
    }

    static void sequence(KafkaProducer<byte[], byte[]> producer, String to, int records, double seconds) {
        Measured measured = new Measured(seconds);
        byte[] value = new byte[100];
        while (measured.goesOn()) {
            producer.beginTransaction();
            for (int i = 0; i < records; i++) producer.send(new ProducerRecord<>(to, value));
            long asked = System.nanoTime();
            producer.commitTransaction();
            measured.committed(asked, records);
        }
        measured.print();
    }

    static void pipeline(
            KafkaProducer<byte[], byte[]> producer, Properties common, String from, String to, int records, double seconds) {
        Properties forConsumer = new Properties();
        forConsumer.putAll(common);
        forConsumer.put("group.id", "bench-java-" + System.nanoTime());
        forConsumer.put("isolation.level", "read_committed");
        forConsumer.put("enable.auto.commit", "false");
        forConsumer.put("auto.offset.reset", "earliest");
        forConsumer.put("max.poll.records", String.valueOf(records));
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(forConsumer, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(from));
            ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofSeconds(30));
            Measured measured = new Measured(seconds);
            while (measured.goesOn() && !polled.isEmpty()) {
                producer.beginTransaction();
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                for (TopicPartition partition : polled.partitions()) {
                    var ofPartition = polled.records(partition);
                    for (var record : ofPartition) producer.send(new ProducerRecord<>(to, record.value()));
                    offsets.put(partition, new OffsetAndMetadata(ofPartition.get(ofPartition.size() - 1).offset() + 1));
                }
                producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
                long asked = System.nanoTime();
                producer.commitTransaction();
                measured.committed(asked, polled.count());
                polled = consumer.poll(Duration.ofSeconds(5));
            }
            measured.print();
        }
    }

    static class Measured {
        final long begun = System.nanoTime();
        final long seconds;
        long warmUntil = begun + (long) (WARM_SECONDS * 1e9);
        long from = 0;
        long last = 0;
        long records = 0;
        final List<Long> commits = new ArrayList<>();

        Measured(double seconds) {
            this.seconds = (long) (seconds * 1e9);
        }

        boolean goesOn() {
            return System.nanoTime() < warmUntil + seconds;
        }

        void committed(long asked, int count) {
            last = System.nanoTime();
            if (last < warmUntil) return;
            if (from == 0) {
                from = last;
                return;
            }
            records += count;
            commits.add(last - asked);
        }

        void print() {
            double elapsed = (last - from) / 1e9;
            long[] sorted = commits.stream().mapToLong(Long::longValue).sorted().toArray();
            System.out.println(String.format(
                    java.util.Locale.ROOT,
                    "{\"transactionsPerSecond\":%.1f,\"recordsPerSecond\":%.0f,\"p50\":%.3f,\"p99\":%.3f}",
                    sorted.length / elapsed, records / elapsed, sorted[sorted.length / 2] / 1e6, sorted[sorted.length * 99 / 100] / 1e6));
        }
    }
}
