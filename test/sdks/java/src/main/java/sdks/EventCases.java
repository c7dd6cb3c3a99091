package sdks;

import com.microsoft.durabletask.OrchestrationMetadata;
import com.microsoft.durabletask.OrchestrationRuntimeStatus;
import com.microsoft.durabletask.TaskCanceledException;
import com.microsoft.durabletask.TaskOrchestrationContext;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.IntStream;

/** External events, sent events, continue-as-new and custom status. */
final class EventCases {
  private EventCases() {}

  static void add(Kit kit) {
    functions(kit);
    eventCases(kit);
    generationCases(kit);
  }

  /** Gathers n values of the event "item". */
  private static void collect(TaskOrchestrationContext c) {
    int[] values = new int[c.getInput(int.class)];
    for (int n = 0; n < values.length; n++) {
      values[n] = c.waitForExternalEvent("item", int.class).await();
    }
    c.complete(values);
  }

  /** Takes one event a generation. */
  private static void drain(TaskOrchestrationContext c) {
    int[] values = c.getInput(int[].class);
    int value = c.waitForExternalEvent("item", int.class).await();
    int[] more = Arrays.copyOf(values, values.length + 1);
    more[values.length] = value;
    // Nothing saved: this version's set of saved events has no order and holds consumed ones too.
    if (more.length < 10) c.continueAsNew(more, false);
    else c.complete(more);
  }

  /** Generation "save" or "forget" waits for "go"; the next one waits for an item that came before. */
  private static void restartOnGo(TaskOrchestrationContext c) {
    String input = c.getInput(String.class);
    if (!input.equals("second")) {
      c.waitForExternalEvent("go").await();
      c.continueAsNew("second", input.equals("save"));
      return;
    }
    try {
      c.complete(c.waitForExternalEvent("item", Duration.ofMillis(800), String.class).await());
    } catch (TaskCanceledException timeout) {
      c.complete("nothing");
    }
  }

  private static void functions(Kit kit) {
    kit.orchestrator(
        "OneEvent", (c) -> c.complete(c.waitForExternalEvent("go", String.class).await()));
    kit.orchestrator(
        "LateWaiter",
        (c) -> {
          c.createTimer(Duration.ofMillis(700)).await();
          c.complete(c.waitForExternalEvent("go", String.class).await());
        });
    kit.orchestrator("Collect", EventCases::collect);
    kit.orchestrator(
        "EventOrTimeout",
        (c) -> {
          try {
            Duration wait = Duration.ofMillis(c.getInput(int.class));
            c.complete(c.waitForExternalEvent("go", wait, String.class).await());
          } catch (TaskCanceledException timeout) {
            c.complete("timed out");
          }
        });
    kit.orchestrator(
        "Sender",
        (c) -> {
          c.sendEvent(c.getInput(String.class), "go", "from another orchestration");
          c.complete("sent");
        });
    kit.orchestrator(
        "CountDown",
        (c) -> {
          int left = c.getInput(int.class);
          c.createTimer(Duration.ofMillis(1)).await();
          if (left > 0) c.continueAsNew(left - 1);
          else c.complete("zero");
        });
    kit.orchestrator("Drain", EventCases::drain);
    kit.orchestrator("RestartOnGo", EventCases::restartOnGo);
    kit.orchestrator(
        "StatusTeller",
        (c) -> {
          c.setCustomStatus("one");
          c.waitForExternalEvent("next").await();
          c.setCustomStatus("two");
          c.waitForExternalEvent("next").await();
          c.clearCustomStatus();
          c.waitForExternalEvent("next").await();
        });
  }

  private static void eventCases(Kit kit) {
    kit.add(
        "an event raised right after the start is not lost",
        () -> {
          for (int n = 0; n < 10; n++) {
            String id = kit.start("OneEvent", null);
            kit.client.raiseEvent(id, "go", "value " + n);
            Kit.equal("value " + n, kit.done(id).readOutputAs(String.class));
          }
        });
    kit.add(
        "an event that comes before the wait is kept",
        () -> {
          String id = kit.start("LateWaiter", null);
          kit.client.raiseEvent(id, "go", "early");
          Kit.equal("early", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "an event that comes during the wait resumes it",
        () -> {
          String id = kit.start("OneEvent", null);
          kit.untilStatus(id, OrchestrationRuntimeStatus.RUNNING);
          kit.client.raiseEvent(id, "go", "during");
          Kit.equal("during", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "an event for a completed instance is dropped",
        () -> {
          String id = kit.start("OneEvent", null);
          kit.client.raiseEvent(id, "go", "first");
          kit.done(id);
          kit.client.raiseEvent(id, "go", "second");
          Kit.equal("first", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "an event for a missing instance is refused",
        () -> Kit.refused(Status.Code.NOT_FOUND, () -> kit.client.raiseEvent(Kit.newId(), "go")));
    kit.add(
        "a hundred events arrive in the order they were raised",
        () -> {
          String id = kit.start("Collect", 100);
          for (int n = 0; n < 100; n++) kit.client.raiseEvent(id, "item", n);
          int[] values = kit.done(id).readOutputAs(int[].class);
          Kit.equal(
              Arrays.toString(IntStream.range(0, 100).toArray()), Arrays.toString(values));
        });
    kit.add(
        "a wait ends with its timeout when no event comes",
        () -> Kit.equal("timed out", kit.run("EventOrTimeout", 200, String.class)));
    kit.add(
        "a wait ends with its event before the timeout",
        () -> {
          String id = kit.start("EventOrTimeout", 3_600_000);
          kit.client.raiseEvent(id, "go", "in time");
          Kit.equal("in time", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "an orchestration sends an event to another, and to a missing one",
        () -> {
          String target = kit.start("OneEvent", null);
          Kit.equal("sent", kit.run("Sender", target, String.class));
          Kit.equal("from another orchestration", kit.done(target).readOutputAs(String.class));
          Kit.equal("sent", kit.run("Sender", Kit.newId(), String.class));
        });
  }

  private static void generationCases(Kit kit) {
    kit.add(
        "continue-as-new runs generation after generation",
        () -> {
          String id = kit.start("CountDown", 10);
          Instant created = kit.client.getInstanceMetadata(id, false).getCreatedAt();
          OrchestrationMetadata state = kit.done(id);
          Kit.completed(state);
          Kit.equal("zero", state.readOutputAs(String.class));
          Kit.equal(0, state.readInputAs(int.class));
          Kit.equal(created, state.getCreatedAt());
        });
    kit.add(
        "every generation takes the event that was raised for it",
        () -> {
          String id = kit.start("Drain", new int[0]);
          for (int n = 0; n < 10; n++) {
            int taken = n;
            Kit.until(() -> taken(kit, id) == taken, n + " events are taken");
            kit.client.raiseEvent(id, "item", n);
          }
          int[] values = kit.done(id).readOutputAs(int[].class);
          Kit.equal("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", Arrays.toString(values));
        });
    kit.add(
        "continue-as-new carries saved events over and forgets the others",
        () -> {
          for (String mode : new String[] {"save", "forget"}) {
            String id = kit.start("RestartOnGo", mode);
            kit.client.raiseEvent(id, "item", "kept");
            kit.untilStatus(id, OrchestrationRuntimeStatus.RUNNING);
            kit.client.raiseEvent(id, "go");
            String expected = mode.equals("save") ? "kept" : "nothing";
            Kit.equal(expected, kit.done(id).readOutputAs(String.class));
          }
        });
    kit.add(
        "a custom status is shown, changed and cleared",
        () -> {
          String id = kit.start("StatusTeller", null);
          for (String shown : new String[] {"one", "two", null}) {
            Kit.until(() -> java.util.Objects.equals(shown, customStatus(kit, id)), "" + shown);
            kit.client.raiseEvent(id, "next");
          }
          Kit.completed(kit.done(id));
        });
  }

  /** How many events the generation now running was started with. */
  private static int taken(Kit kit, String id) {
    return kit.client.getInstanceMetadata(id, true).readInputAs(int[].class).length;
  }

  private static String customStatus(Kit kit, String id) {
    OrchestrationMetadata state = kit.client.getInstanceMetadata(id, true);
    return state.isCustomStatusFetched() ? state.readCustomStatusAs(String.class) : null;
  }
}
