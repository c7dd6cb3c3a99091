"""What the cases share: the connection in one of two flavours, the registry of functions, waiting."""

import sys
import time
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import grpc
from durabletask import client as dt
from durabletask import worker as dtw
from durabletask.azuremanaged.client import (
    AsyncDurableTaskSchedulerClient,
    DurableTaskSchedulerClient,
)
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker

Status = dt.OrchestrationStatus
CASES = []
ORCHESTRATORS = []
ACTIVITIES = []


def case(fn):
    """A case of the suite: its name says the rule, underscores for spaces."""
    CASES.append(fn)
    return fn


def orchestrator(fn):
    """Served by the worker that all cases share."""
    ORCHESTRATORS.append(fn)
    return fn


def activity(fn):
    """Served by the worker that all cases share."""
    ACTIVITIES.append(fn)
    return fn


class Suite:
    """One flavour of the SDK against one scheduler.

    `plain` is the package durabletask alone: no task hub header unless a case asks for a hub.
    `azuremanaged` is durabletask-azuremanaged: every call names a hub.
    """

    def __init__(self, address, flavour, hubs):
        self.address = address
        self.flavour = flavour
        self.hub = None if flavour == 'plain' else hubs[0]
        self.__spare_hubs = list(hubs[1:])
        self.client = self.new_client()

    def own_hub(self):
        """A hub that no other case uses: for cases that count, list or filter."""
        return self.__spare_hubs.pop()

    def new_client(self, hub=None, **options):
        hub = hub or self.hub
        if self.flavour == 'plain':
            metadata = [('taskhub', hub)] if hub else None
            return dt.TaskHubGrpcClient(host_address=self.address, metadata=metadata, **options)
        return DurableTaskSchedulerClient(
            host_address=self.address,
            taskhub=hub,
            token_credential=None,
            secure_channel=False,
            **options,
        )

    def new_async_client(self):
        if self.flavour == 'plain':
            return dt.AsyncTaskHubGrpcClient(host_address=self.address)
        return AsyncDurableTaskSchedulerClient(
            host_address=self.address, taskhub=self.hub, token_credential=None, secure_channel=False
        )

    def new_worker(self, hub=None, **options):
        hub = hub or self.hub
        if self.flavour == 'plain':
            metadata = [('taskhub', hub)] if hub else None
            return dtw.TaskHubGrpcWorker(host_address=self.address, metadata=metadata, **options)
        return DurableTaskSchedulerWorker(
            host_address=self.address,
            taskhub=hub,
            token_credential=None,
            secure_channel=False,
            **options,
        )

    @contextmanager
    def worker(self, *, orchestrators=(), activities=(), hub=None, prepare=None, **options):
        """A worker of the case's own, stopped at the end. `prepare` sees it before it starts."""
        worker = self.new_worker(hub, **options)
        for fn in orchestrators:
            worker.add_orchestrator(fn)
        for fn in activities:
            worker.add_activity(fn)
        if prepare:
            prepare(worker)
        worker.start()
        try:
            yield worker
        finally:
            worker.stop()

    def start(self, orchestrator, input=None, **options):
        return self.client.schedule_new_orchestration(orchestrator, input=input, **options)

    def done(self, instance_id, timeout=30, **options):
        return self.client.wait_for_orchestration_completion(
            instance_id, timeout=timeout, **options
        )

    def run(self, orchestrator, input=None, **options):
        """Starts, waits, and refuses anything but COMPLETED; the output."""
        state = self.done(self.start(orchestrator, input, **options))
        equal(state.runtime_status, Status.COMPLETED, state.failure_details)
        return state.get_output()

    def status(self, instance_id):
        state = self.client.get_orchestration_state(instance_id)
        return state and state.runtime_status

    def until_status(self, instance_id, status, timeout=15):
        until(lambda: self.status(instance_id) == status, f'{instance_id} is {status}', timeout)


def new_id(prefix='py'):
    return f'{prefix}-{uuid.uuid4().hex}'


def utc_now():
    return datetime.now(timezone.utc)


def seconds(count):
    return timedelta(seconds=count)


def equal(actual, expected, hint=None):
    if actual != expected:
        note = f' ({hint})' if hint else ''
        raise AssertionError(f'expected {short(expected)}, got {short(actual)}{note}')


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def short(value):
    text = repr(value)
    return text if len(text) <= 300 else f'{text[:300]}… ({len(text)} characters)'


def until(condition, what, timeout=15):
    """Polls a condition; a deadline, not a sleep."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {timeout} s: {what}')
        time.sleep(0.02)


@contextmanager
def raises(kind):
    """Demands an exception of this type; it is the value of the block."""
    holder = []
    try:
        yield holder
    except kind as error:
        holder.append(error)
        return
    raise AssertionError(f'expected {kind.__name__}, nothing was raised')


@contextmanager
def refused(code, text=None):
    """Demands that a call ends with this gRPC status, and that its details hold the text."""
    try:
        yield
    except grpc.RpcError as error:
        equal(error.code(), code, error.details())
        if text:
            check(text in error.details(), f'{text!r} is not in {error.details()!r}')
        return
    raise AssertionError(f'expected {code.name}, the call succeeded')


def stays(condition, what, during=1.0):
    """The condition holds for a while: for what must not happen."""
    deadline = time.monotonic() + during
    while time.monotonic() < deadline:
        check(condition(), what)
        time.sleep(0.05)


def log(message):
    print(message, file=sys.stderr, flush=True)
