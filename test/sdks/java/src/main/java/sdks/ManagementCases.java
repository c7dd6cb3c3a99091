package sdks;

import static com.microsoft.durabletask.OrchestrationRuntimeStatus.COMPLETED;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.FAILED;
import static com.microsoft.durabletask.OrchestrationRuntimeStatus.RUNNING;

import com.microsoft.durabletask.DurableTaskClient;
import com.microsoft.durabletask.DurableTaskGrpcWorker;
import com.microsoft.durabletask.NewOrchestrationInstanceOptions;
import com.microsoft.durabletask.OrchestrationMetadata;
import com.microsoft.durabletask.OrchestrationStatusQuery;
import com.microsoft.durabletask.OrchestrationStatusQueryResult;
import com.microsoft.durabletask.PurgeInstanceCriteria;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/** Query, purge and restart; each case in a hub of its own. This version of the SDK has no rewind. */
final class ManagementCases {
  private ManagementCases() {}

  private interface HubCase {
    void run(DurableTaskClient client) throws Exception;
  }

  static void add(Kit kit) {
    kit.add("a query filters by status, prefix and time", () -> inHub(kit, ManagementCases::query));
    kit.add(
        "a query pages through all instances once",
        () ->
            inHub(
                kit,
                (client) -> {
                  List<String> ids = new ArrayList<>();
                  for (int n = 0; n < 13; n++) ids.add(run(client, "p" + n, n));
                  OrchestrationStatusQuery query =
                      new OrchestrationStatusQuery().setMaxInstanceCount(5);
                  Kit.equal(ids, found(client, query));
                }));
    kit.add(
        "a query fetches payloads only when asked",
        () ->
            inHub(
                kit,
                (client) -> {
                  run(client, "one", 42);
                  OrchestrationStatusQuery query =
                      new OrchestrationStatusQuery().setFetchInputsAndOutputs(true);
                  OrchestrationMetadata state =
                      client.queryInstances(query).getOrchestrationState().get(0);
                  Kit.equal(42, state.readInputAs(int.class));
                  Kit.equal(42, state.readOutputAs(int.class));
                }));
    kit.add("purge deletes completed instances", () -> inHub(kit, ManagementCases::purge));
    kit.add(
        "purge by criteria deletes terminal matches",
        () -> inHub(kit, ManagementCases::purgeByCriteria));
    kit.add(
        "restart runs the input again, under the same id or a new one",
        () ->
            inHub(
                kit,
                (client) -> {
                  String id = run(client, "again", 5);
                  Kit.equal(id, client.restartInstance(id, false));
                  Kit.equal(5, done(client, id).readOutputAs(int.class));
                  String copy = client.restartInstance(id, true);
                  Kit.check(!copy.equals(id), "the same id");
                  Kit.equal(5, done(client, copy).readOutputAs(int.class));
                }));
  }

  private static void inHub(Kit kit, HubCase body) throws Exception {
    String hub = kit.ownHub();
    DurableTaskGrpcWorker worker =
        kit.worker(hub)
            .addOrchestration(Kit.orchestration("Quick", (c) -> quick(c.getInput(int.class), c)))
            .addOrchestration(
                Kit.orchestration("Waits", (c) -> c.waitForExternalEvent("go").await()))
            .build();
    worker.start();
    try {
      body.run(kit.client(hub));
    } finally {
      worker.stop();
    }
  }

  private static void quick(
      int value, com.microsoft.durabletask.TaskOrchestrationContext context) {
    if (value < 0) throw new IllegalStateException("as asked");
    context.complete(value);
  }

  private static OrchestrationMetadata done(DurableTaskClient client, String id)
      throws TimeoutException {
    return client.waitForInstanceCompletion(id, Kit.LONG, true);
  }

  private static String run(DurableTaskClient client, String id, int input)
      throws TimeoutException {
    client.scheduleNewOrchestrationInstance(
        "Quick", new NewOrchestrationInstanceOptions().setInstanceId(id).setInput(input));
    done(client, id);
    return id;
  }

  private static String live(DurableTaskClient client, String id) throws TimeoutException {
    client.scheduleNewOrchestrationInstance(
        "Waits", new NewOrchestrationInstanceOptions().setInstanceId(id));
    client.waitForInstanceStart(id, Kit.LONG);
    return id;
  }

  /** Ids of all pages. */
  private static List<String> found(DurableTaskClient client, OrchestrationStatusQuery query) {
    List<String> ids = new ArrayList<>();
    String token = null;
    do {
      OrchestrationStatusQueryResult page =
          client.queryInstances(query.setContinuationToken(token));
      ids.addAll(
          page.getOrchestrationState().stream()
              .map(OrchestrationMetadata::getInstanceId)
              .collect(Collectors.toList()));
      token = page.getContinuationToken();
    } while (token != null && !token.isEmpty());
    return ids;
  }

  private static void query(DurableTaskClient client) throws Exception {
    Instant before = Instant.now().minusSeconds(1);
    String good = run(client, "good-1", 1);
    String other = run(client, "Good-2", 2);
    String bad = run(client, "bad", -1);
    String live = live(client, "live");
    OrchestrationStatusQuery all = new OrchestrationStatusQuery();
    Kit.equal(List.of(good, other, bad, live), found(client, all));
    Kit.equal(
        List.of(bad, live),
        found(client, new OrchestrationStatusQuery().setRuntimeStatusList(List.of(FAILED, RUNNING))));
    Kit.equal(
        List.of(good), found(client, new OrchestrationStatusQuery().setInstanceIdPrefix("good-")));
    Kit.equal(
        List.of(), found(client, new OrchestrationStatusQuery().setCreatedTimeTo(before)));
    Kit.equal(
        4, found(client, new OrchestrationStatusQuery().setCreatedTimeFrom(before)).size());
  }

  private static void purge(DurableTaskClient client) throws Exception {
    String id = run(client, "done", 1);
    String live = live(client, "live");
    Kit.equal(1, client.purgeInstance(id).getDeletedInstanceCount());
    Kit.equal(false, client.getInstanceMetadata(id, false).isInstanceFound());
    Kit.equal(0, client.purgeInstance(id).getDeletedInstanceCount());
    // This client does not say that the id is an orchestration's: no refusal, nothing deleted.
    Kit.equal(0, client.purgeInstance(live).getDeletedInstanceCount());
    Kit.equal(true, client.getInstanceMetadata(live, false).isInstanceFound());
  }

  private static void purgeByCriteria(DurableTaskClient client) throws Exception {
    run(client, "one", 1);
    run(client, "two", 2);
    String bad = run(client, "bad", -1);
    String live = live(client, "live");
    PurgeInstanceCriteria criteria =
        new PurgeInstanceCriteria()
            .setCreatedTimeFrom(Instant.now().minusSeconds(3600))
            .setRuntimeStatusList(List.of(COMPLETED, RUNNING))
            .setTimeout(Duration.ofSeconds(20));
    Kit.equal(2, client.purgeInstances(criteria).getDeletedInstanceCount());
    Kit.equal(List.of(bad, live), found(client, new OrchestrationStatusQuery()));
  }
}
