package odradek;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Members of groups, each polling on a thread of its own; what happens to them is told as events. */
final class GroupMembers {
  private static final Duration POLL = Duration.ofMillis(50);
  private final String servers;
  private final Map<Integer, Member> members = new ConcurrentHashMap<>();

  GroupMembers(String servers) {
    this.servers = servers;
  }

  Object join(JsonNode params) {
    Map<String, Object> configs = new HashMap<>();
    configs.put("bootstrap.servers", servers);
    for (var entry : params.get("configs").properties()) configs.put(entry.getKey(), entry.getValue().asText());
    Member member = new Member(params.get("id").asInt(), params.get("topic").asText(), configs);
    members.put(member.id, member);
    member.start();
    return null;
  }

  Object leave(JsonNode params) throws InterruptedException {
    Member member = members.remove(params.get("id").asInt());
    member.leaving = true;
    member.join();
    return null;
  }

  private static final class Member extends Thread implements ConsumerRebalanceListener {
    final int id;
    private final String topic;
    private final Map<String, Object> configs;
    private final Set<Integer> owned = new HashSet<>();
    volatile boolean leaving;

    Member(int id, String topic, Map<String, Object> configs) {
      this.id = id;
      this.topic = topic;
      this.configs = configs;
      setDaemon(true);
    }

    @Override
    public void run() {
      try (var consumer = new KafkaConsumer<>(configs, new StringDeserializer(), new StringDeserializer())) {
        consumer.subscribe(List.of(topic), this);
        while (!leaving) {
          List<Object> records = new ArrayList<>();
          for (ConsumerRecord<String, String> record : consumer.poll(POLL)) records.add(List.of(record.partition(), record.offset(), record.value()));
          if (!records.isEmpty()) Driver.tell(Map.of("member", id, "records", records));
        }
      } catch (Exception thrown) {
        thrown.printStackTrace();
        Driver.tell(Map.of("member", id, "error", thrown.toString()));
      }
      owned.clear();
      tellOwned();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      for (TopicPartition partition : partitions) owned.add(partition.partition());
      tellOwned();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      for (TopicPartition partition : partitions) owned.remove(partition.partition());
      tellOwned();
    }

    private void tellOwned() {
      Driver.tell(Map.of("member", id, "owned", new ArrayList<>(owned)));
    }
  }
}
