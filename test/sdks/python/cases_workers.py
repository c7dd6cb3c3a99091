"""Workers: filters, versions, concurrency, coming and going."""

import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from durabletask import task
from durabletask.exception_properties import ExceptionPropertiesProvider
from durabletask.worker import (
    ActivityWorkItemFilter,
    ConcurrencyOptions,
    OrchestrationWorkItemFilter,
    VersionFailureStrategy,
    VersioningOptions,
    VersionMatchStrategy,
    WorkItemFilters,
)
from kit import Status, case, check, equal, orchestrator, stays


def tells_version(ctx, _):
    return ctx.version
    yield


def waits_long(ctx, _):
    value = yield ctx.wait_for_external_event('go')
    result = yield ctx.call_activity(answers, input=value)
    return result


def answers(_, value):
    return f'answer to {value}'


def other_orchestrator(ctx, _):
    return 'other'
    yield


@case
def an_item_that_no_filter_matches_waits_for_a_worker_that_takes_it(s):
    hub = s.own_hub()
    client = s.new_client(hub)
    instance_id = client.schedule_new_orchestration(tells_version)

    def state():
        return client.get_orchestration_state(instance_id).runtime_status

    filtered = {'prepare': lambda worker: worker.use_work_item_filters()}
    with s.worker(orchestrators=[other_orchestrator], hub=hub, **filtered):
        other = client.schedule_new_orchestration(other_orchestrator)
        equal(client.wait_for_orchestration_completion(other).get_output(), 'other')
        stays(lambda: state() == Status.PENDING, 'the item waits')
    with s.worker(orchestrators=[tells_version], hub=hub, **filtered):
        done = client.wait_for_orchestration_completion(instance_id)
        equal(done.runtime_status, Status.COMPLETED)
    client.close()


@case
def filters_share_orchestrations_and_activities_among_workers(s):
    hub = s.own_hub()
    client = s.new_client(hub)
    filtered = {'prepare': lambda worker: worker.use_work_item_filters(), 'hub': hub}
    with s.worker(orchestrators=[waits_long], **filtered), s.worker(activities=[answers], **filtered):
        instance_id = client.schedule_new_orchestration(waits_long)
        client.raise_orchestration_event(instance_id, 'go', data='all')
        equal(
            client.wait_for_orchestration_completion(instance_id).get_output(), 'answer to all'
        )
    client.close()


@case
def a_filter_with_versions_takes_only_those(s):
    hub = s.own_hub()
    client = s.new_client(hub)

    def only(*versions):
        listed = WorkItemFilters(
            orchestrations=[OrchestrationWorkItemFilter('tells_version', list(versions))],
            activities=[ActivityWorkItemFilter('answers')],
        )
        return lambda worker: worker.use_work_item_filters(listed)

    old = client.schedule_new_orchestration(tells_version, version='1.0')
    new = client.schedule_new_orchestration(tells_version, version='2.0')
    bare = client.schedule_new_orchestration(tells_version)
    with s.worker(orchestrators=[tells_version], hub=hub, prepare=only('2.0')):
        equal(client.wait_for_orchestration_completion(new).get_output(), '2.0')
        for waiting in (old, bare):
            equal(client.get_orchestration_state(waiting).runtime_status, Status.PENDING)
    with s.worker(orchestrators=[tells_version], hub=hub, prepare=only('1.0', '')):
        equal(client.wait_for_orchestration_completion(old).get_output(), '1.0')
        equal(client.wait_for_orchestration_completion(bare).get_output(), None)
    client.close()


def versioning(version, failure):
    options = VersioningOptions(
        version=version, match_strategy=VersionMatchStrategy.STRICT, failure_strategy=failure
    )
    return lambda worker: worker.use_versioning(options)


@case
def a_worker_fails_a_version_that_it_does_not_match(s):
    hub = s.own_hub()
    client = s.new_client(hub)
    prepare = versioning('2.0', VersionFailureStrategy.FAIL)
    with s.worker(orchestrators=[tells_version], hub=hub, prepare=prepare):
        instance_id = client.schedule_new_orchestration(tells_version, version='1.0')
        state = client.wait_for_orchestration_completion(instance_id)
        equal(state.runtime_status, Status.FAILED)
        equal(state.failure_details.error_type, 'VersionMismatch')
    client.close()


@case
def a_rejected_version_goes_to_a_worker_that_accepts_it(s):
    hub = s.own_hub()
    client = s.new_client(hub)
    rejects = versioning('2.0', VersionFailureStrategy.REJECT)
    accepts = versioning('1.0', VersionFailureStrategy.REJECT)
    with s.worker(orchestrators=[tells_version], hub=hub, prepare=rejects):
        instance_id = client.schedule_new_orchestration(tells_version, version='1.0')

        def state():
            return client.get_orchestration_state(instance_id).runtime_status

        stays(lambda: state() == Status.PENDING, 'the item waits')
        with s.worker(orchestrators=[tells_version], hub=hub, prepare=accepts):
            equal(client.wait_for_orchestration_completion(instance_id).get_output(), '1.0')
    client.close()


@orchestrator
def version_of_child(ctx, _):
    return ctx.version
    yield


@orchestrator
def versions_of(ctx, generation):
    child = yield ctx.call_sub_orchestrator(version_of_child, version='7.1')
    if generation == 1:
        ctx.continue_as_new(2, new_version='3.0')
        return None
    return [ctx.version, child]


@case
def a_new_generation_and_a_child_take_the_version_they_are_given(s):
    equal(s.run(versions_of, 1, version='2.0'), ['3.0', '7.1'])


@case
def a_worker_gets_no_more_activities_at_once_than_it_asks_for(s):
    hub = s.own_hub()
    client = s.new_client(hub)
    lock = threading.Lock()
    now_and_most = [0, 0]

    def slow(_, __):
        with lock:
            now_and_most[0] += 1
            now_and_most[1] = max(now_and_most)
        time.sleep(0.05)
        with lock:
            now_and_most[0] -= 1

    def runs_twenty(ctx, _):
        yield task.when_all([ctx.call_activity(slow) for _ in range(20)])

    # Two at the scheduler's side: the worker itself would run twenty.
    options = ConcurrencyOptions(
        maximum_concurrent_activity_work_items=2, maximum_thread_pool_workers=20
    )
    with s.worker(
        orchestrators=[runs_twenty], activities=[slow], hub=hub, concurrency_options=options
    ):
        instance_id = client.schedule_new_orchestration(runs_twenty)
        state = client.wait_for_orchestration_completion(instance_id, timeout=60)
        equal(state.runtime_status, Status.COMPLETED)
    check(1 <= now_and_most[1] <= 2, f'{now_and_most[1]} at once')
    client.close()


@case
def an_instance_goes_on_with_another_worker(s):
    hub = s.own_hub()
    client = s.new_client(hub)
    with s.worker(orchestrators=[waits_long], activities=[answers], hub=hub):
        instance_id = client.schedule_new_orchestration(waits_long)
        client.wait_for_orchestration_start(instance_id)
    client.raise_orchestration_event(instance_id, 'go', data='the second')
    with s.worker(orchestrators=[waits_long], activities=[answers], hub=hub):
        done = client.wait_for_orchestration_completion(instance_id)
        equal(done.get_output(), 'answer to the second')
    client.close()


def endures(_, __):
    return 'another worker'


@case
def an_activity_of_a_killed_worker_runs_on_another(s):
    hub = s.own_hub()
    client = s.new_client(hub)

    def calls_endures(ctx, _):
        result = yield ctx.call_activity(endures)
        return result

    program = Path(__file__).with_name('lost_worker.py')
    command = [sys.executable, '-B', str(program), s.address, s.flavour, hub]
    filtered = {'prepare': lambda worker: worker.use_work_item_filters(), 'hub': hub}
    with s.worker(orchestrators=[calls_endures], **filtered):
        lost = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            instance_id = client.schedule_new_orchestration(calls_endures)
            equal(lost.stdout.readline(), b'started\n')
        finally:
            lost.kill()
            lost.communicate()
        with s.worker(activities=[endures], **filtered):
            state = client.wait_for_orchestration_completion(instance_id, timeout=60)
            equal(state.get_output(), 'another worker', state.failure_details)
    completions = [
        event
        for event in client.get_orchestration_history(instance_id)
        if type(event).__name__ == 'TaskCompletedEvent'
    ]
    equal(len(completions), 1)
    client.close()


class Properties(ExceptionPropertiesProvider):
    def get_exception_properties(self, exception):
        if isinstance(exception, ValueError):
            return {'code': 42, 'tags': ['a', None, True], 'deep': {'text': 'ß'}}
        return None


@case
def the_properties_of_a_failure_arrive_unchanged(s):
    hub = s.own_hub()
    client = s.new_client(hub)

    def fails(_, __):
        raise ValueError('with properties')

    def tells_properties(ctx, _):
        try:
            yield ctx.call_activity(fails)
        except task.TaskFailedError as error:
            return error.details.properties

    with s.worker(
        orchestrators=[tells_properties],
        activities=[fails],
        hub=hub,
        exception_properties_provider=Properties(),
    ):
        instance_id = client.schedule_new_orchestration(tells_properties)
        output = client.wait_for_orchestration_completion(instance_id).get_output()
        equal(output, {'code': 42, 'tags': ['a', None, True], 'deep': {'text': 'ß'}})
    client.close()


@case
def names_that_nobody_registered_fail(s):
    hub = s.own_hub()
    client = s.new_client(hub)

    def calls_nobody(ctx, _):
        yield ctx.call_activity('nobody')

    with s.worker(orchestrators=[calls_nobody], hub=hub):
        first = client.schedule_new_orchestration('nobody_either')
        second = client.schedule_new_orchestration(calls_nobody)
        failed = client.wait_for_orchestration_completion(first)
        equal(failed.runtime_status, Status.FAILED)
        check('NotRegistered' in failed.failure_details.error_type, failed.failure_details)
        failed = client.wait_for_orchestration_completion(second)
        equal(failed.runtime_status, Status.FAILED)
        check('nobody' in failed.failure_details.message, failed.failure_details)
    client.close()


@case
def an_idle_worker_takes_work_at_once(s):
    hub = s.own_hub()
    client = s.new_client(hub)
    with s.worker(orchestrators=[tells_version], hub=hub):
        time.sleep(3)
        began = time.monotonic()
        instance_id = client.schedule_new_orchestration(tells_version)
        client.wait_for_orchestration_completion(instance_id)
        check(time.monotonic() - began < 2, 'it took its time')
    client.close()


@orchestrator
def many_timers(ctx, count):
    yield task.when_all([ctx.create_timer(timedelta(milliseconds=n % 50)) for n in range(count)])
    return 'all'


@case
def two_hundred_timers_fire_once_each(s):
    equal(s.run(many_timers, 200), 'all')
