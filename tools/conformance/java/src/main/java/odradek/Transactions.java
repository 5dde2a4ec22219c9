package odradek;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Transactions with default settings: commit, abort, fence, and a copy from topic to topic with offsets in its transactions. */
final class Transactions {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private final String servers;

  Transactions(String servers) {
    this.servers = servers;
  }

  Object transact(JsonNode params) {
    String topic = params.get("topic").asText();
    try (var producer = producer(params)) {
      producer.initTransactions();
      for (JsonNode transaction : params.get("transactions")) {
        producer.beginTransaction();
        for (JsonNode value : transaction.get("values")) producer.send(new ProducerRecord<>(topic, value.asText()));
        if (transaction.get("commit").asBoolean()) producer.commitTransaction();
        else {
          producer.flush();
          producer.abortTransaction();
        }
      }
    }
    return null;
  }

  /** What the older of two producers with one id is told. */
  Object fence(JsonNode params) {
    String topic = params.get("topic").asText();
    try (var zombie = producer(params); var successor = producer(params)) {
      zombie.initTransactions();
      zombie.beginTransaction();
      zombie.send(new ProducerRecord<>(topic, params.get("zombie").asText()));
      zombie.flush();
      successor.initTransactions();
      successor.beginTransaction();
      successor.send(new ProducerRecord<>(topic, params.get("successor").asText()));
      successor.commitTransaction();
      try {
        zombie.commitTransaction();
        return "it was not refused";
      } catch (KafkaException refused) {
        return refused.toString();
      }
    }
  }

  /** Consume, transform, produce: every second transaction is aborted first, and its records are read again from where the group stands. */
  Object copy(JsonNode params) {
    int left = params.get("count").asInt();
    String to = params.get("to").asText();
    try (var producer = producer(params); var consumer = consumer(Map.of(
        "group.id", params.get("groupId").asText(),
        "enable.auto.commit", "false",
        "max.poll.records", params.get("perTransaction").asText()))) {
      producer.initTransactions();
      consumer.subscribe(List.of(params.get("from").asText()));
      boolean aborts = false;
      while (left > 0) {
        ConsumerRecords<String, String> polled = consumer.poll(WAIT);
        if (polled.isEmpty()) throw new IllegalStateException(left + " records did not come");
        aborts = !aborts;
        producer.beginTransaction();
        for (ConsumerRecord<String, String> record : polled)
          producer.send(new ProducerRecord<>(to, record.partition(), record.key(), record.value()));
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : polled.partitions())
          offsets.put(partition, new OffsetAndMetadata(consumer.position(partition)));
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        if (aborts) {
          producer.abortTransaction();
          for (var committed : consumer.committed(polled.partitions()).entrySet())
            if (committed.getValue() == null) consumer.seekToBeginning(List.of(committed.getKey()));
            else consumer.seek(committed.getKey(), committed.getValue());
        } else {
          producer.commitTransaction();
          left -= polled.count();
        }
      }
    }
    return null;
  }

  /** Values of a topic up to the `end` of each partition, read_committed. */
  Object readCommitted(JsonNode params) {
    try (var consumer = consumer(Map.of())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (var info : consumer.partitionsFor(params.get("topic").asText())) partitions.add(new TopicPartition(info.topic(), info.partition()));
      consumer.assign(partitions);
      List<String> values = new ArrayList<>();
      for (int ends = 0; ends < partitions.size(); ) {
        ConsumerRecords<String, String> polled = consumer.poll(WAIT);
        if (polled.isEmpty()) throw new IllegalStateException("no end came after " + values);
        for (ConsumerRecord<String, String> record : polled) {
          if (record.value().equals("end")) ends++;
          else values.add(record.value());
        }
      }
      return values;
    }
  }

  private KafkaProducer<String, String> producer(JsonNode params) {
    Map<String, Object> configs = Map.of("bootstrap.servers", servers, "transactional.id", params.get("transactionalId").asText());
    return new KafkaProducer<>(configs, new StringSerializer(), new StringSerializer());
  }

  private KafkaConsumer<String, String> consumer(Map<String, Object> more) {
    Map<String, Object> configs = new HashMap<>(more);
    configs.put("bootstrap.servers", servers);
    configs.put("auto.offset.reset", "earliest");
    configs.put("isolation.level", "read_committed");
    return new KafkaConsumer<>(configs, new StringDeserializer(), new StringDeserializer());
  }
}
