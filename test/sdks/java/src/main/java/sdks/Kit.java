package sdks;

import com.microsoft.durabletask.DurableTaskClient;
import com.microsoft.durabletask.DurableTaskGrpcClientBuilder;
import com.microsoft.durabletask.DurableTaskGrpcWorker;
import com.microsoft.durabletask.DurableTaskGrpcWorkerBuilder;
import com.microsoft.durabletask.NewOrchestrationInstanceOptions;
import com.microsoft.durabletask.OrchestrationMetadata;
import com.microsoft.durabletask.OrchestrationRuntimeStatus;
import com.microsoft.durabletask.TaskActivity;
import com.microsoft.durabletask.TaskActivityContext;
import com.microsoft.durabletask.TaskActivityFactory;
import com.microsoft.durabletask.TaskOrchestration;
import com.microsoft.durabletask.TaskOrchestrationContext;
import com.microsoft.durabletask.TaskOrchestrationFactory;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** What the cases share: connections to one scheduler, the registry of functions, waiting. */
final class Kit {
  interface Case {
    void run() throws Exception;
  }

  /** Long enough for a busy machine; a case that waits this long has failed. */
  static final Duration LONG = Duration.ofSeconds(30);

  final Map<String, Case> cases = new LinkedHashMap<>();
  final DurableTaskClient client;

  private final ManagedChannel channel;
  private final Iterator<String> ownHubs;
  private final DurableTaskGrpcWorkerBuilder shared = new DurableTaskGrpcWorkerBuilder();

  Kit(String address, List<String> hubs) {
    channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    ownHubs = hubs.subList(1, hubs.size()).iterator();
    client = client(hubs.get(0));
    shared.grpcChannel(on(hubs.get(0)));
  }

  /** A case: its name says the rule. */
  void add(String name, Case body) {
    cases.put(name, body);
  }

  void orchestrator(String name, Consumer<TaskOrchestrationContext> body) {
    shared.addOrchestration(orchestration(name, body));
  }

  void activity(String name, Function<TaskActivityContext, Object> body) {
    shared.addActivity(activityOf(name, body));
  }

  DurableTaskGrpcWorker sharedWorker() {
    return shared.build();
  }

  /** A hub that no other case uses. */
  synchronized String ownHub() {
    return ownHubs.next();
  }

  DurableTaskClient client(String hub) {
    return new DurableTaskGrpcClientBuilder().grpcChannel(on(hub)).build();
  }

  DurableTaskGrpcWorkerBuilder worker(String hub) {
    return new DurableTaskGrpcWorkerBuilder().grpcChannel(on(hub));
  }

  /** The package for Azure is not in the registry; what it adds for the hub is this header. */
  private Channel on(String hub) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("taskhub", Metadata.ASCII_STRING_MARSHALLER), hub);
    ClientInterceptor interceptor = MetadataUtils.newAttachHeadersInterceptor(headers);
    return io.grpc.ClientInterceptors.intercept(channel, interceptor);
  }

  static TaskOrchestrationFactory orchestration(
      String name, Consumer<TaskOrchestrationContext> body) {
    return new TaskOrchestrationFactory() {
      @Override
      public String getName() {
        return name;
      }

      @Override
      public TaskOrchestration create() {
        return body::accept;
      }
    };
  }

  static TaskActivityFactory activityOf(String name, Function<TaskActivityContext, Object> body) {
    return new TaskActivityFactory() {
      @Override
      public String getName() {
        return name;
      }

      @Override
      public TaskActivity create() {
        return body::apply;
      }
    };
  }

  String start(String name, Object input) {
    return client.scheduleNewOrchestrationInstance(name, input);
  }

  String start(String name, Object input, String instanceId) {
    return client.scheduleNewOrchestrationInstance(
        name, new NewOrchestrationInstanceOptions().setInput(input).setInstanceId(instanceId));
  }

  OrchestrationMetadata done(String instanceId) throws TimeoutException {
    return client.waitForInstanceCompletion(instanceId, LONG, true);
  }

  /** Starts, waits, and refuses anything but COMPLETED; the output. */
  <T> T run(String name, Object input, Class<T> type) throws TimeoutException {
    OrchestrationMetadata state = done(start(name, input));
    completed(state);
    return state.readOutputAs(type);
  }

  static void completed(OrchestrationMetadata state) {
    String hint =
        state.getFailureDetails() == null ? "" : state.getFailureDetails().getErrorMessage();
    equal(OrchestrationRuntimeStatus.COMPLETED, state.getRuntimeStatus(), hint);
  }

  OrchestrationRuntimeStatus status(String instanceId) {
    return client.getInstanceMetadata(instanceId, false).getRuntimeStatus();
  }

  void untilStatus(String instanceId, OrchestrationRuntimeStatus status) throws Exception {
    until(() -> status(instanceId) == status, instanceId + " is " + status);
  }

  static String newId() {
    return "java-" + UUID.randomUUID();
  }

  static void equal(Object expected, Object actual) {
    equal(expected, actual, "");
  }

  static void equal(Object expected, Object actual, String hint) {
    if (!Objects.equals(expected, actual)) {
      throw new AssertionError("expected " + expected + ", got " + actual + " " + hint);
    }
  }

  static void check(boolean condition, String message) {
    if (!condition) throw new AssertionError(message);
  }

  /** Polls a condition; a deadline, not a sleep. */
  static void until(Supplier<Boolean> condition, String what) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
    while (!condition.get()) {
      check(System.nanoTime() < deadline, "not within 15 s: " + what);
      Thread.sleep(20);
    }
  }

  /** The condition holds for a second: for what must not happen. */
  static void stays(Supplier<Boolean> condition, String what) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(1).toNanos();
    while (System.nanoTime() < deadline) {
      check(condition.get(), "not all the time: " + what);
      Thread.sleep(50);
    }
  }

  /** Demands that a call ends with this gRPC status; the error's text. */
  static String refused(Status.Code code, Case call) throws Exception {
    try {
      call.run();
    } catch (StatusRuntimeException error) {
      equal(code, error.getStatus().getCode(), String.valueOf(error.getMessage()));
      return error.getMessage();
    }
    throw new AssertionError("expected " + code + ", the call succeeded");
  }

  static <E extends Exception> E raises(Class<E> type, Case call) throws Exception {
    try {
      call.run();
    } catch (Exception error) {
      if (type.isInstance(error)) return type.cast(error);
      throw error;
    }
    throw new AssertionError("expected " + type.getSimpleName() + ", nothing was thrown");
  }

  void close() {
    channel.shutdownNow();
  }
}
