package odradek;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The Java client and Kafka's own tools as JSON lines: {"method", "params"} in, {"result"} or {"error"} out. One JVM for a whole suite. */
public final class Driver {
  private static final ObjectMapper JSON = new ObjectMapper();

  private interface Method {
    Object call(JsonNode params) throws Exception;
  }

  private static Clients clients;
  private static Administration admin;
  private static Transactions transactions;
  private static GroupMembers members;
  /** Tools print to System.out; replies and events go to the real one. */
  private static final PrintStream SAID = System.out;

  private static final Map<String, Method> METHODS = Map.ofEntries(
      Map.entry("open", params -> {
        String servers = params.get("bootstrapServers").asText();
        clients = new Clients(servers);
        admin = new Administration(servers);
        transactions = new Transactions(servers);
        members = new GroupMembers(servers);
        return null;
      }),
      Map.entry("write", params -> clients.write(params)),
      Map.entry("read", params -> clients.read(params.get("counts"))),
      Map.entry("createTopic", params -> admin.createTopic(params)),
      Map.entry("listTopics", params -> admin.listTopics()),
      Map.entry("partitionsOf", params -> admin.partitionsOf(params.get("topic").asText())),
      Map.entry("addPartitions", params -> admin.addPartitions(params)),
      Map.entry("configOf", params -> admin.configOf(params)),
      Map.entry("setConfig", params -> admin.setConfig(params)),
      Map.entry("endOffset", params -> admin.endOffset(params)),
      Map.entry("beginningOffset", params -> admin.beginningOffset(params)),
      Map.entry("deleteRecords", params -> admin.deleteRecords(params)),
      Map.entry("deleteTopic", params -> admin.deleteTopic(params.get("topic").asText())),
      Map.entry("cluster", params -> admin.cluster()),
      Map.entry("transact", params -> transactions.transact(params)),
      Map.entry("fence", params -> transactions.fence(params)),
      Map.entry("copy", params -> transactions.copy(params)),
      Map.entry("readCommitted", params -> transactions.readCommitted(params)),
      Map.entry("joinGroup", params -> members.join(params)),
      Map.entry("leaveGroup", params -> members.leave(params)),
      Map.entry("tool", params -> Tools.run(params)));

  public static void main(String[] args) throws Exception {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.setIn(new java.io.ByteArrayInputStream(new byte[0]));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonNode request = JSON.readTree(line);
      var reply = JSON.createObjectNode();
      try {
        Object result = METHODS.get(request.get("method").asText()).call(request.get("params"));
        reply.set("result", JSON.valueToTree(result));
      } catch (Throwable thrown) {
        thrown.printStackTrace();
        Throwable cause = thrown instanceof java.util.concurrent.ExecutionException ? thrown.getCause() : thrown;
        reply.put("error", cause.toString());
      }
      say(reply);
    }
    System.exit(0);
  }

  /** Something that nobody asked for. */
  static void tell(Object event) {
    say(JSON.createObjectNode().set("event", JSON.valueToTree(event)));
  }

  private static synchronized void say(JsonNode line) {
    SAID.println(line);
    SAID.flush();
  }

  private Driver() {}
}
