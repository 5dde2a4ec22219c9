package odradek;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/** Runs a main class of Kafka's tools in this JVM, as its script would, with what it reads, prints and exits with. */
final class Tools {
  /** Ends a tool where it would have ended the process. */
  private static final class Ended extends RuntimeException {
    Ended() {
      super(null, null, false, false);
    }
  }

  static Object run(JsonNode params) throws Exception {
    List<String> arguments = new ArrayList<>();
    for (JsonNode argument : params.get("args")) arguments.add(argument.asText());
    PrintStream out = System.out;
    PrintStream err = System.err;
    var printed = new ByteArrayOutputStream();
    var complained = new ByteArrayOutputStream();
    // Some tools catch everything and exit again: the first code is what the process would have ended with.
    List<Integer> codes = new ArrayList<>();
    Exit.Procedure end = (code, message) -> {
      codes.add(code);
      throw new Ended();
    };
    Exit.setExitProcedure(end);
    Exit.setHaltProcedure(end);
    List<Runnable> hooks = new ArrayList<>();
    Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
    System.setIn(new ByteArrayInputStream(params.path("input").asText("").getBytes(StandardCharsets.UTF_8)));
    boolean failed = false;
    try {
      var main = Class.forName(params.get("main").asText()).getMethod("main", String[].class);
      main.invoke(null, (Object) arguments.toArray(new String[0]));
    } catch (InvocationTargetException thrown) {
      failed = !(thrown.getCause() instanceof Ended);
      if (failed) thrown.getCause().printStackTrace();
    } finally {
      for (Runnable hook : hooks) hook.run();
      System.out.flush();
      System.err.flush();
      System.setOut(out);
      System.setErr(err);
    }
    return Map.of(
        "code", codes.isEmpty() ? (failed ? 1 : 0) : codes.get(0),
        "out", printed.toString(StandardCharsets.UTF_8),
        "err", complained.toString(StandardCharsets.UTF_8));
  }

  private Tools() {}
}
