package sdks;

import static com.microsoft.durabletask.OrchestrationRuntimeStatus.COMPLETED;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.PENDING;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.RUNNING;

import com.microsoft.durabletask.DurableTaskClient;
import com.microsoft.durabletask.DurableTaskGrpcWorker;
import com.microsoft.durabletask.NewOrchestrationInstanceOptions;
import com.microsoft.durabletask.OrchestrationMetadata;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeoutException;

/** Starting, waiting and reading; hubs; workers that come and go. */
final class StartCases {
  private StartCases() {}

  static void add(Kit kit) {
    kit.orchestrator("ReturnsInput", (c) -> c.complete(c.getInput(Object.class)));
    waitCases(kit);
    startCases(kit);
    workerCases(kit);
  }

  private static void waitCases(Kit kit) {
    kit.add(
        "a turn under way keeps the instance pending",
        () -> {
          // The worker runs one item at a time: its own hub, so that nobody else waits.
          String hub = kit.ownHub();
          DurableTaskClient client = kit.client(hub);
          DurableTaskGrpcWorker worker =
              kit.worker(hub)
                  .addOrchestration(Kit.orchestration("Busy", (c) -> sleepThenComplete()))
                  .build();
          worker.start();
          String id = client.scheduleNewOrchestrationInstance("Busy");
          Kit.raises(
              TimeoutException.class, () -> client.waitForInstanceStart(id, Duration.ofSeconds(1)));
          Kit.equal(PENDING, client.getInstanceMetadata(id, false).getRuntimeStatus());
          Kit.completed(client.waitForInstanceCompletion(id, Kit.LONG, true));
          worker.stop();
        });
    kit.add(
        "a wait for completion lasts until its deadline",
        () -> {
          String id = kit.start("OneEvent", null);
          Kit.equal(RUNNING, kit.client.waitForInstanceStart(id, Kit.LONG).getRuntimeStatus());
          long began = System.nanoTime();
          Kit.raises(
              TimeoutException.class,
              () -> kit.client.waitForInstanceCompletion(id, Duration.ofSeconds(2), true));
          Kit.check(System.nanoTime() - began >= 1_900_000_000L, "the wait ended early");
          kit.client.raiseEvent(id, "go", "after");
          Kit.equal("after", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "payloads are sent only when asked for",
        () -> {
          String id = kit.start("ReturnsInput", "payload");
          OrchestrationMetadata full = kit.done(id);
          Kit.equal("payload", full.readInputAs(String.class));
          Kit.equal("payload", full.readOutputAs(String.class));
          OrchestrationMetadata bare = kit.client.getInstanceMetadata(id, false);
          Kit.equal(COMPLETED, bare.getRuntimeStatus());
          Kit.raises(IllegalStateException.class, () -> bare.readOutputAs(String.class));
        });
    kit.add(
        "a missing instance is not found",
        () ->
            Kit.equal(false, kit.client.getInstanceMetadata(Kit.newId(), true).isInstanceFound()));
  }

  private static void sleepThenComplete() {
    // What no orchestrator should do; the case needs a turn that takes its time.
    try {
      Thread.sleep(3000);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  private static void startCases(Kit kit) {
    kit.add(
        "a scheduled instance is pending until its time",
        () -> {
          Instant at = Instant.now().plusSeconds(2);
          String id =
              kit.client.scheduleNewOrchestrationInstance(
                  "ReturnsInput",
                  new NewOrchestrationInstanceOptions().setStartTime(at).setInput("later"));
          Kit.stays(() -> kit.status(id) == PENDING, "pending");
          Kit.completed(kit.done(id));
          Kit.check(!Instant.now().isBefore(at), "it ran before its time");
        });
    kit.add(
        "a completed id is used again, a live one is refused",
        () -> {
          String id = kit.start("ReturnsInput", "first", Kit.newId());
          kit.done(id);
          kit.start("OneEvent", "second", id);
          String text =
              Kit.refused(
                  Status.Code.ALREADY_EXISTS, () -> kit.start("ReturnsInput", "third", id));
          Kit.check(text.endsWith("already exists."), text);
          kit.client.raiseEvent(id, "go", "second");
          Kit.equal("second", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "a bad instance id is refused",
        () -> {
          for (String bad : new String[] {"x".repeat(101), "@counter@1"}) {
            Kit.refused(
                Status.Code.INVALID_ARGUMENT, () -> kit.start("ReturnsInput", null, bad));
          }
        });
  }

  private static void workerCases(Kit kit) {
    kit.add(
        "task hubs do not see each other, and a missing one is named",
        () -> {
          String id = kit.start("ReturnsInput", 1);
          DurableTaskClient other = kit.client(kit.ownHub());
          Kit.equal(false, other.getInstanceMetadata(id, false).isInstanceFound());
          DurableTaskClient nowhere = kit.client("no-such-hub");
          String text =
              Kit.refused(Status.Code.NOT_FOUND, () -> nowhere.getInstanceMetadata(id, false));
          Kit.check(text.contains("Task hub not found: no-such-hub"), text);
        });
    kit.add(
        "an instance waits for a worker and goes on with the next",
        () -> {
          String hub = kit.ownHub();
          DurableTaskClient client = kit.client(hub);
          String id = client.scheduleNewOrchestrationInstance("Waits");
          for (int n = 0; n < 2; n++) {
            DurableTaskGrpcWorker worker =
                kit.worker(hub)
                    .addOrchestration(
                        Kit.orchestration(
                            "Waits",
                            (c) -> {
                              c.waitForExternalEvent("go").await();
                              c.complete("on");
                            }))
                    .build();
            worker.start();
            if (n == 0) client.waitForInstanceStart(id, Kit.LONG);
            else Kit.completed(client.waitForInstanceCompletion(id, Kit.LONG, true));
            worker.stop();
            if (n == 0) client.raiseEvent(id, "go");
          }
        });
  }
}
