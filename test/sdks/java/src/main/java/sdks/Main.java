package sdks;

import com.microsoft.durabletask.DurableTaskGrpcWorker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Runs the cases against a scheduler; one JSON line for each. Usage: ADDRESS HUB,HUB,... [PART_OF_NAME] */
public final class Main {
  /** Cases mostly wait; a few at a time keep the run short without measuring this machine's load. */
  private static final int PARALLEL = 8;

  private Main() {}

  public static void main(String[] args) throws Exception {
    Logger.getLogger("").setLevel(System.getenv("SDK_LOG") == null ? Level.OFF : Level.INFO);
    Kit kit = new Kit(args[0], Arrays.asList(args[1].split(",")));
    CallCases.add(kit);
    EventCases.add(kit);
    LifecycleCases.add(kit);
    StartCases.add(kit);
    ManagementCases.add(kit);

    DurableTaskGrpcWorker worker = kit.sharedWorker();
    worker.start();
    ExecutorService pool = Executors.newFixedThreadPool(PARALLEL);
    List<Future<Boolean>> results = new ArrayList<>();
    for (Map.Entry<String, Kit.Case> entry : kit.cases.entrySet()) {
      if (args.length > 2 && !entry.getKey().contains(args[2])) continue;
      results.add(pool.submit(() -> run(entry.getKey(), entry.getValue())));
    }
    boolean passed = !results.isEmpty();
    for (Future<Boolean> result : results) passed &= result.get();
    // The worker's own threads would keep the process alive.
    System.exit(passed ? 0 : 1);
  }

  private static boolean run(String name, Kit.Case body) {
    long started = System.nanoTime();
    String error = null;
    try {
      body.run();
    } catch (Throwable thrown) {
      error = where(thrown) + thrown.getClass().getSimpleName() + ": " + thrown.getMessage();
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    String line =
        String.format(
            java.util.Locale.ROOT,
            "{\"case\":%s,\"error\":%s,\"seconds\":%.3f}",
            quote(name),
            quote(error),
            seconds);
    synchronized (System.out) {
      System.out.println(line);
    }
    return error == null;
  }

  /** The line of the case. */
  private static String where(Throwable thrown) {
    for (StackTraceElement frame : thrown.getStackTrace()) {
      if (frame.getFileName() != null && frame.getFileName().endsWith("Cases.java")) {
        return frame.getFileName() + ":" + frame.getLineNumber() + ": ";
      }
    }
    return "";
  }

  private static String quote(String text) {
    if (text == null) return "null";
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') quoted.append('\\').append(c);
      else if (c < ' ') quoted.append(String.format("\\u%04x", (int) c));
      else quoted.append(c);
    }
    return quoted.append('"').toString();
  }
}
