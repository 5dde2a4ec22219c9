package odradek;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Producer and consumer with default settings. */
final class Clients {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private final String servers;

  Clients(String servers) {
    this.servers = servers;
  }

  Object write(JsonNode params) throws Exception {
    String topic = params.get("topic").asText();
    Map<String, Object> configs = Map.of("bootstrap.servers", servers, "compression.type", params.get("codec").asText());
    try (var producer = new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (JsonNode letter : params.get("letters")) {
        List<Header> headers = new ArrayList<>();
        for (JsonNode header : letter.get("headers")) headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1))));
        sent.add(producer.send(new ProducerRecord<>(
            topic, letter.get("partition").asInt(), bytes(letter.get("key")), bytes(letter.get("value")), headers)));
      }
      for (Future<RecordMetadata> one : sent) one.get();
    }
    return null;
  }

  Object read(JsonNode counts) {
    int wanted = 0;
    List<TopicPartition> partitions = new ArrayList<>();
    Map<String, Object> configs = Map.of("bootstrap.servers", servers, "auto.offset.reset", "earliest");
    try (var consumer = new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      for (var entry : counts.properties()) {
        wanted += entry.getValue().asInt();
        for (PartitionInfo info : consumer.partitionsFor(entry.getKey())) partitions.add(new TopicPartition(info.topic(), info.partition()));
      }
      consumer.assign(partitions);
      List<Object> found = new ArrayList<>();
      while (found.size() < wanted) {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(WAIT);
        if (polled.isEmpty()) throw new IllegalStateException("only " + found.size() + " records came");
        for (ConsumerRecord<byte[], byte[]> record : polled) found.add(shown(record));
      }
      return found;
    }
  }

  private static Object shown(ConsumerRecord<byte[], byte[]> record) {
    Map<String, Object> letter = new HashMap<>();
    letter.put("topic", record.topic());
    letter.put("partition", record.partition());
    letter.put("offset", record.offset());
    letter.put("key", text(record.key()));
    letter.put("value", text(record.value()));
    List<Object> headers = new ArrayList<>();
    for (Header header : record.headers()) headers.add(Arrays.asList(header.key(), text(header.value())));
    letter.put("headers", headers);
    return letter;
  }

  private static byte[] bytes(JsonNode base64) {
    return base64.isNull() ? null : Base64.getDecoder().decode(base64.asText());
  }

  private static String text(byte[] bytes) {
    return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
  }
}
