package odradek;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** The Admin client with default settings. */
final class Administration {
  private final Admin admin;

  Administration(String servers) {
    admin = Admin.create(Map.of("bootstrap.servers", servers));
  }

  Object createTopic(JsonNode params) throws Exception {
    Map<String, String> configs = new HashMap<>();
    for (var entry : params.get("configs").properties()) configs.put(entry.getKey(), entry.getValue().asText());
    NewTopic topic = new NewTopic(params.get("name").asText(), Optional.of(params.get("partitions").asInt()), Optional.empty());
    admin.createTopics(List.of(topic.configs(configs))).all().get();
    return null;
  }

  Object listTopics() throws Exception {
    return admin.listTopics().names().get();
  }

  Object partitionsOf(String topic) throws Exception {
    return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().stream()
        .filter(partition -> partition.leader() != null)
        .count();
  }

  Object addPartitions(JsonNode params) throws Exception {
    NewPartitions partitions = NewPartitions.increaseTo(params.get("total").asInt());
    admin.createPartitions(Map.of(params.get("topic").asText(), partitions)).all().get();
    return null;
  }

  Object configOf(JsonNode params) throws Exception {
    ConfigResource resource = topicResource(params);
    return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(params.get("name").asText()).value();
  }

  Object setConfig(JsonNode params) throws Exception {
    ConfigEntry entry = new ConfigEntry(params.get("name").asText(), params.get("value").asText());
    AlterConfigOp change = new AlterConfigOp(entry, AlterConfigOp.OpType.SET);
    admin.incrementalAlterConfigs(Map.of(topicResource(params), List.of(change))).all().get();
    return null;
  }

  Object endOffset(JsonNode params) throws Exception {
    return offset(params, OffsetSpec.latest());
  }

  Object beginningOffset(JsonNode params) throws Exception {
    return offset(params, OffsetSpec.earliest());
  }

  Object deleteRecords(JsonNode params) throws Exception {
    admin.deleteRecords(Map.of(place(params), RecordsToDelete.beforeOffset(params.get("before").asLong()))).all().get();
    return null;
  }

  Object deleteTopic(String topic) throws Exception {
    admin.deleteTopics(List.of(topic)).all().get();
    return null;
  }

  Object cluster() throws Exception {
    var found = admin.describeCluster();
    List<Object> nodes = new ArrayList<>();
    for (Node node : found.nodes().get()) nodes.add(Map.of("id", node.id(), "host", node.host(), "port", node.port()));
    return Map.of("clusterId", found.clusterId().get(), "nodes", nodes);
  }

  private long offset(JsonNode params, OffsetSpec spec) throws Exception {
    TopicPartition place = place(params);
    return admin.listOffsets(Map.of(place, spec)).partitionResult(place).get().offset();
  }

  private static TopicPartition place(JsonNode params) {
    return new TopicPartition(params.get("topic").asText(), params.get("partition").asInt());
  }

  private static ConfigResource topicResource(JsonNode params) {
    return new ConfigResource(ConfigResource.Type.TOPIC, params.get("topic").asText());
  }
}
