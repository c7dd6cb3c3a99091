package sdks;

import com.microsoft.durabletask.CompositeTaskFailedException;
import com.microsoft.durabletask.FailureDetails;
import com.microsoft.durabletask.OrchestrationMetadata;
import com.microsoft.durabletask.OrchestrationRuntimeStatus;
import com.microsoft.durabletask.RetryHandler;
import com.microsoft.durabletask.RetryPolicy;
import com.microsoft.durabletask.Task;
import com.microsoft.durabletask.TaskActivityContext;
import com.microsoft.durabletask.TaskFailedException;
import com.microsoft.durabletask.TaskOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Activities, timers, sub-orchestrations, retries and failures. */
final class CallCases {
  /** When the attempts of a failing activity were made, by the case's own key. */
  private static final Map<String, List<Long>> ATTEMPTS = new ConcurrentHashMap<>();

  private CallCases() {}

  static void add(Kit kit) {
    functions(kit);
    callCases(kit);
    childCases(kit);
    failureCases(kit);
  }

  private static int attempt(String key) {
    List<Long> times =
        ATTEMPTS.computeIfAbsent(key, (k) -> Collections.synchronizedList(new ArrayList<>()));
    times.add(System.nanoTime());
    return times.size();
  }

  /** Input "key:n": fails until the nth attempt. */
  private static Object failUntil(TaskActivityContext context) {
    String[] input = context.getInput(String.class).split(":");
    int attempt = attempt(input[0]);
    if (attempt < Integer.parseInt(input[1])) {
      throw new IllegalStateException("attempt " + attempt + " fails");
    }
    return attempt;
  }

  private static void functions(Kit kit) {
    kit.activity("PlusOne", (c) -> c.getInput(int.class) + 1);
    kit.activity("Echo", (c) -> c.getInput(String.class));
    kit.activity("FailUntil", CallCases::failUntil);
    kit.activity(
        "Fail",
        (c) -> {
          throw new IllegalStateException(
              "the top", new IllegalArgumentException("the middle", new RuntimeException("root")));
        });
    kit.orchestrator(
        "Chain",
        (c) -> {
          int value = c.getInput(int.class);
          for (int n = 0; n < 3; n++) {
            value = c.callActivity("PlusOne", value, int.class).await();
          }
          c.complete(value);
        });
    kit.orchestrator(
        "FanOut",
        (c) -> {
          List<Task<Integer>> calls =
              IntStream.range(0, c.getInput(int.class))
                  .mapToObj((n) -> c.callActivity("PlusOne", n, int.class))
                  .collect(Collectors.toList());
          c.complete(c.allOf(calls).await());
        });
    kit.orchestrator(
        "EchoOnce",
        (c) -> c.complete(c.callActivity("Echo", c.getInput(String.class), String.class).await()));
    kit.orchestrator(
        "ManyLarge",
        (c) -> {
          String large = "x".repeat(c.getInput(int.class));
          List<Task<String>> calls = new ArrayList<>();
          for (int n = 0; n < 3; n++) calls.add(c.callActivity("Echo", large, String.class));
          int length = 0;
          for (String part : c.allOf(calls).await()) length += part.length();
          c.complete(length);
        });
    kit.orchestrator(
        "Timers",
        (c) -> {
          List<Long> times = new ArrayList<>();
          times.add(c.getCurrentInstant().toEpochMilli());
          for (int n = 0; n < 3; n++) {
            c.createTimer(Duration.ofMillis(400)).await();
            times.add(c.getCurrentInstant().toEpochMilli());
          }
          c.complete(times);
        });
    kit.orchestrator(
        "FirstOf",
        (c) -> {
          Task<Void> quick = c.createTimer(Duration.ofMillis(100));
          Task<Void> slow = c.createTimer(Duration.ofHours(1));
          c.complete(c.anyOf(quick, slow).await() == quick);
        });
    kit.orchestrator(
        "Child",
        (c) -> c.complete(c.callActivity("PlusOne", c.getInput(int.class), int.class).await()));
    kit.orchestrator(
        "Parent",
        (c) -> {
          Task<Integer> one = c.callSubOrchestrator("Child", 1, int.class);
          Task<Integer> two = c.callSubOrchestrator("Child", 2, int.class);
          c.complete(c.allOf(one, two).await());
        });
    kit.orchestrator(
        "Failing",
        (c) -> {
          throw new IllegalStateException(c.getInput(String.class));
        });
    kit.orchestrator(
        "ParentOfFailing",
        (c) -> {
          String childId = c.getInput(String.class);
          try {
            c.callSubOrchestrator("Failing", "no luck", childId, Void.class).await();
            c.complete("the child did not fail");
          } catch (TaskFailedException error) {
            FailureDetails details = error.getErrorDetails();
            c.complete(details.getErrorType() + ": " + details.getErrorMessage());
          }
        });
    kit.orchestrator(
        "ChildUntil",
        (c) ->
            c.complete(
                c.callActivity("FailUntil", c.getInput(String.class), int.class).await()));
    kit.orchestrator(
        "ParentWithRetries",
        (c) -> {
          String[] input = c.getInput(String.class).split(",");
          TaskOptions options = new TaskOptions(new RetryPolicy(5, Duration.ofMillis(100)));
          c.complete(
              c.callSubOrchestrator("ChildUntil", input[0], input[1], options, int.class).await());
        });
    kit.orchestrator(
        "Retries",
        (c) -> {
          RetryPolicy policy = new RetryPolicy(3, Duration.ofMillis(200)).setBackoffCoefficient(2);
          String input = c.getInput(String.class);
          c.complete(
              c.callActivity("FailUntil", input, new TaskOptions(policy), int.class).await());
        });
    kit.orchestrator(
        "RetriesByHandler",
        (c) -> {
          RetryHandler handler = (r) -> r.getLastAttemptNumber() < 4;
          String input = c.getInput(String.class);
          c.complete(
              c.callActivity("FailUntil", input, new TaskOptions(handler), int.class).await());
        });
    kit.orchestrator("FailsWithCause", (c) -> c.callActivity("Fail").await());
    kit.orchestrator(
        "CatchesComposite",
        (c) -> {
          List<Task<Void>> calls = Arrays.asList(c.callActivity("Fail"), c.callActivity("Fail"));
          try {
            c.allOf(calls).await();
            c.complete(0);
          } catch (CompositeTaskFailedException error) {
            c.complete(error.getExceptions().size());
          }
        });
    kit.orchestrator("CallsNobody", (c) -> c.callActivity("Nobody").await());
  }

  private static void callCases(Kit kit) {
    kit.add(
        "a chain of activities passes results on",
        () -> {
          String id = kit.start("Chain", 4);
          OrchestrationMetadata state = kit.done(id);
          Kit.completed(state);
          Kit.equal(7, state.readOutputAs(int.class));
          Kit.equal(4, state.readInputAs(int.class));
          Kit.equal("Chain", state.getName());
          Kit.equal(id, state.getInstanceId());
          Instant created = state.getCreatedAt();
          Kit.check(!created.isAfter(state.getLastUpdatedAt()), "created after last updated");
        });
    kit.add(
        "a fan-out returns results in the order of calls",
        () -> {
          int[] results = kit.run("FanOut", 60, int[].class);
          Kit.check(Arrays.equals(results, IntStream.rangeClosed(1, 60).toArray()), "not in order");
        });
    kit.add(
        "a payload of 900 KB comes back byte for byte",
        () -> {
          String text = "größer ☃ 𝄞 \"\\".repeat(40_000);
          Kit.check(text.equals(kit.run("EchoOnce", text, String.class)), "another text");
        });
    kit.add(
        "a history of 3 MB is delivered",
        () -> Kit.equal(1_500_000, kit.run("ManyLarge", 500_000, Integer.class)));
    kit.add(
        "a timer never fires early",
        () -> {
          long[] times = kit.run("Timers", null, long[].class);
          for (int n = 1; n < times.length; n++) {
            long pause = times[n] - times[n - 1];
            Kit.check(pause >= 399 && pause < 5000, "fired after " + pause + " ms");
          }
        });
    kit.add(
        "the first of two timers ends the orchestration",
        () -> Kit.equal(true, kit.run("FirstOf", null, Boolean.class)));
  }

  private static void childCases(Kit kit) {
    kit.add(
        "children answer their parent",
        () -> Kit.equal("[2, 3]", Arrays.toString(kit.run("Parent", null, int[].class))));
    kit.add(
        "the failure of a child reaches its parent",
        () -> {
          String childId = Kit.newId();
          String output = kit.run("ParentOfFailing", childId, String.class);
          Kit.equal("java.lang.IllegalStateException: no luck", output);
          Kit.equal(OrchestrationRuntimeStatus.FAILED, kit.status(childId));
        });
    kit.add(
        "a failed child is retried under the same id",
        () -> {
          String childId = Kit.newId();
          String input = Kit.newId() + ":3," + childId;
          Kit.equal(3, kit.run("ParentWithRetries", input, Integer.class));
          Kit.equal(OrchestrationRuntimeStatus.COMPLETED, kit.status(childId));
        });
  }

  private static void failureCases(Kit kit) {
    kit.add(
        "a retry policy repeats an activity with growing pauses",
        () -> {
          String key = Kit.newId();
          Kit.equal(3, kit.run("Retries", key + ":3", Integer.class));
          List<Long> times = ATTEMPTS.get(key);
          long first = (times.get(1) - times.get(0)) / 1_000_000;
          long second = (times.get(2) - times.get(1)) / 1_000_000;
          Kit.check(first >= 190 && second >= 390, "pauses of " + first + " and " + second);
        });
    kit.add(
        "a retry policy gives up after its last attempt",
        () -> {
          String key = Kit.newId();
          OrchestrationMetadata state = kit.done(kit.start("Retries", key + ":99"));
          Kit.equal(OrchestrationRuntimeStatus.FAILED, state.getRuntimeStatus());
          Kit.equal(3, ATTEMPTS.get(key).size());
        });
    kit.add(
        "a retry handler decides how often",
        () -> Kit.equal(4, kit.run("RetriesByHandler", Kit.newId() + ":4", Integer.class)));
    kit.add(
        "failure details name type, message and stack",
        () -> {
          OrchestrationMetadata state = kit.done(kit.start("FailsWithCause", null));
          Kit.equal(OrchestrationRuntimeStatus.FAILED, state.getRuntimeStatus());
          FailureDetails details = state.getFailureDetails();
          Kit.check(details.isCausedBy(TaskFailedException.class), details.getErrorType());
          Kit.check(details.getErrorMessage().contains("the top"), details.getErrorMessage());
          Kit.check(details.getStackTrace() != null, "no stack trace");
          Kit.equal("", state.getSerializedOutput());
        });
    kit.add(
        "several failures at once are all told",
        () -> Kit.equal(2, kit.run("CatchesComposite", null, Integer.class)));
    kit.add(
        "an orchestrator that throws fails with its message",
        () -> {
          OrchestrationMetadata state = kit.done(kit.start("Failing", "broken"));
          Kit.equal(OrchestrationRuntimeStatus.FAILED, state.getRuntimeStatus());
          Kit.equal("broken", state.getFailureDetails().getErrorMessage());
        });
    kit.add(
        "an activity that nobody registered fails",
        () -> {
          OrchestrationMetadata state = kit.done(kit.start("CallsNobody", null));
          Kit.equal(OrchestrationRuntimeStatus.FAILED, state.getRuntimeStatus());
          String message = state.getFailureDetails().getErrorMessage();
          Kit.check(message.contains("Nobody"), message);
        });
  }
}
