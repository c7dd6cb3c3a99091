package sdks;

import static com.microsoft.durabletask.OrchestrationRuntimeStatus.COMPLETED;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.PENDING;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.RUNNING;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.SUSPENDED;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.TERMINATED;

import com.microsoft.durabletask.NewOrchestrationInstanceOptions;
import com.microsoft.durabletask.OrchestrationMetadata;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;

/** Terminate, suspend and resume. */
final class LifecycleCases {
  private LifecycleCases() {}

  static void add(Kit kit) {
    kit.orchestrator("Sleeps", (c) -> c.createTimer(Duration.ofHours(1)).await());
    kit.orchestrator(
        "ParentOfWaiter",
        (c) -> c.callSubOrchestrator("OneEvent", null, c.getInput(String.class), Void.class).await());
    kit.orchestrator(
        "TwoSteps",
        (c) -> {
          String value = c.waitForExternalEvent("go", String.class).await();
          c.complete(c.callActivity("Echo", value, String.class).await());
        });
    terminateCases(kit);
    suspendCases(kit);
  }

  private static void terminateCases(Kit kit) {
    kit.add(
        "terminate ends a running instance with the output",
        () -> {
          String id = kit.start("Sleeps", null);
          kit.untilStatus(id, RUNNING);
          kit.client.terminate(id, "enough");
          OrchestrationMetadata state = kit.done(id);
          Kit.equal(TERMINATED, state.getRuntimeStatus());
          Kit.equal("enough", state.readOutputAs(String.class));
        });
    kit.add(
        "terminate leaves children alone",
        () -> {
          String child = Kit.newId();
          String id = kit.start("ParentOfWaiter", child);
          Kit.until(() -> kit.client.getInstanceMetadata(child, false).isInstanceFound(), "child");
          kit.untilStatus(child, RUNNING);
          kit.client.terminate(id, null);
          Kit.equal(TERMINATED, kit.done(id).getRuntimeStatus());
          kit.client.raiseEvent(child, "go", "alone");
          Kit.equal("alone", kit.done(child).readOutputAs(String.class));
          Kit.equal(TERMINATED, kit.status(id));
        });
    kit.add(
        "terminate ends an instance whose start is scheduled",
        () -> {
          NewOrchestrationInstanceOptions options =
              new NewOrchestrationInstanceOptions().setStartTime(Instant.now().plusSeconds(3600));
          String id = kit.client.scheduleNewOrchestrationInstance("Sleeps", options);
          Kit.equal(PENDING, kit.status(id));
          kit.client.terminate(id, "never ran");
          OrchestrationMetadata state = kit.done(id);
          Kit.equal(TERMINATED, state.getRuntimeStatus());
          Kit.equal("never ran", state.readOutputAs(String.class));
        });
    kit.add(
        "verbs on a missing instance are refused",
        () -> {
          Kit.refused(Status.Code.NOT_FOUND, () -> kit.client.terminate(Kit.newId(), null));
          Kit.refused(Status.Code.NOT_FOUND, () -> kit.client.suspendInstance(Kit.newId()));
          Kit.refused(Status.Code.NOT_FOUND, () -> kit.client.resumeInstance(Kit.newId()));
        });
    kit.add(
        "verbs on a completed instance have no effect",
        () -> {
          String id = kit.start("EchoOnce", "done");
          kit.done(id);
          kit.client.terminate(id, "late");
          kit.client.suspendInstance(id);
          kit.client.resumeInstance(id);
          OrchestrationMetadata state = kit.done(id);
          Kit.equal(COMPLETED, state.getRuntimeStatus());
          Kit.equal("done", state.readOutputAs(String.class));
        });
  }

  private static void suspendCases(Kit kit) {
    kit.add(
        "a suspended instance keeps events for later",
        () -> {
          String id = kit.start("TwoSteps", null);
          kit.untilStatus(id, RUNNING);
          kit.client.suspendInstance(id, "hold on");
          kit.untilStatus(id, SUSPENDED);
          kit.client.raiseEvent(id, "go", "kept");
          Kit.stays(() -> kit.status(id) == SUSPENDED, "suspended");
          kit.client.resumeInstance(id, "go on");
          Kit.equal("kept", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "a second suspend needs no second resume, a resume needs no suspend",
        () -> {
          String id = kit.start("TwoSteps", null);
          kit.client.resumeInstance(id);
          kit.client.suspendInstance(id);
          kit.client.suspendInstance(id);
          kit.untilStatus(id, SUSPENDED);
          kit.client.resumeInstance(id);
          kit.untilStatus(id, RUNNING);
          kit.client.raiseEvent(id, "go", "on");
          Kit.equal("on", kit.done(id).readOutputAs(String.class));
        });
    kit.add(
        "terminate ends a suspended instance",
        () -> {
          String id = kit.start("Sleeps", null);
          kit.client.suspendInstance(id);
          kit.untilStatus(id, SUSPENDED);
          kit.client.terminate(id, null);
          Kit.equal(TERMINATED, kit.done(id).getRuntimeStatus());
        });
  }
}
