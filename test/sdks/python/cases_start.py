"""Starting, waiting and reading: what a client sees before, during and after."""

import time
from datetime import timedelta

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from kit import (
    Status,
    case,
    check,
    equal,
    new_id,
    orchestrator,
    raises,
    refused,
    seconds,
    stays,
    utc_now,
)


@orchestrator
def returns_input(ctx, value):
    return value
    yield


@orchestrator
def waits_for_end(ctx, value):
    result = yield ctx.wait_for_external_event('end')
    return [value, result]


@orchestrator
def busy_first_turn(ctx, busy_seconds):
    # What no orchestrator should do; the case needs a turn that takes its time.
    time.sleep(busy_seconds)
    return 'done'
    yield


@case
def a_scheduled_instance_is_pending_until_its_time(s):
    start_at = utc_now() + seconds(2)
    instance_id = s.start(returns_input, 'later', start_at=start_at)
    stays(lambda: s.status(instance_id) == Status.PENDING, 'the instance is pending')
    state = s.done(instance_id)
    equal(state.get_output(), 'later')
    check(utc_now() >= start_at, 'it ran before its time')


@case
def a_start_time_in_the_past_means_now(s):
    equal(s.run(returns_input, 'now', start_at=utc_now() - timedelta(days=1)), 'now')


@case
def a_turn_under_way_keeps_the_instance_pending(s):
    instance_id = s.start(busy_first_turn, 3)
    with raises(TimeoutError):
        s.client.wait_for_orchestration_start(instance_id, timeout=1)
    equal(s.status(instance_id), Status.PENDING)
    state = s.client.wait_for_orchestration_start(instance_id, timeout=20)
    check(state.runtime_status in (Status.RUNNING, Status.COMPLETED), state.runtime_status)
    equal(s.done(instance_id).get_output(), 'done')


@case
def a_wait_for_start_ends_when_the_first_turn_is_committed(s):
    instance_id = s.start(waits_for_end, 1)
    state = s.client.wait_for_orchestration_start(instance_id, timeout=20, fetch_payloads=True)
    equal(state.runtime_status, Status.RUNNING)
    equal(state.get_input(), 1)
    s.client.terminate_orchestration(instance_id)


@case
def a_wait_for_completion_lasts_until_its_deadline(s):
    instance_id = s.start(waits_for_end, 1)
    began = time.monotonic()
    with raises(TimeoutError):
        s.client.wait_for_orchestration_completion(instance_id, timeout=2)
    check(time.monotonic() - began >= 1.9, 'the wait ended early')
    equal(s.status(instance_id), Status.RUNNING)
    s.client.raise_orchestration_event(instance_id, 'end', data=2)
    equal(s.done(instance_id).get_output(), [1, 2])


@case
def a_wait_for_a_completed_instance_ends_at_once(s):
    instance_id = s.start(returns_input, 5)
    s.done(instance_id)
    began = time.monotonic()
    equal(s.done(instance_id).get_output(), 5)
    equal(s.client.wait_for_orchestration_start(instance_id).runtime_status, Status.COMPLETED)
    check(time.monotonic() - began < 2, 'the waits took their time')


@case
def a_wait_for_a_missing_instance_is_held(s):
    began = time.monotonic()
    with raises(TimeoutError):
        s.client.wait_for_orchestration_completion(new_id(), timeout=1)
    check(time.monotonic() - began >= 0.9, 'the wait ended early')


@case
def payloads_are_sent_only_when_asked_for(s):
    instance_id = s.start(returns_input, 'payload')
    bare = s.done(instance_id, fetch_payloads=False)
    equal((bare.serialized_input, bare.serialized_output), (None, None))
    equal(bare.runtime_status, Status.COMPLETED)
    bare = s.client.get_orchestration_state(instance_id, fetch_payloads=False)
    equal((bare.serialized_input, bare.serialized_output), (None, None))
    full = s.client.get_orchestration_state(instance_id)
    equal((full.get_input(), full.get_output()), ('payload', 'payload'))


@case
def a_missing_instance_has_no_state(s):
    equal(s.client.get_orchestration_state(new_id()), None)


@case
def an_instance_id_may_hold_colons_and_pluses(s):
    instance_id = f'{new_id()}:a+b @c/d'
    equal(s.start(returns_input, 1, instance_id=instance_id), instance_id)
    equal(s.done(instance_id).instance_id, instance_id)


@case
def a_bad_instance_id_is_refused(s):
    for bad in ('x' * 101, '@counter@1'):
        with refused(grpc.StatusCode.INVALID_ARGUMENT):
            s.start(returns_input, instance_id=bad)


def policy(*statuses):
    return pb.OrchestrationIdReusePolicy(replaceableStatus=list(statuses))


@case
def without_a_policy_a_completed_id_is_used_again(s):
    instance_id = s.start(returns_input, 'first', instance_id=new_id())
    s.done(instance_id)
    s.start(returns_input, 'second', instance_id=instance_id)
    equal(s.done(instance_id).get_output(), 'second')


@case
def without_a_policy_a_live_id_is_refused(s):
    instance_id = s.start(waits_for_end, 'first', instance_id=new_id())
    text = f'An Orchestration instance with the ID {instance_id} already exists.'
    with refused(grpc.StatusCode.ALREADY_EXISTS, text):
        s.start(waits_for_end, 'second', instance_id=instance_id)
    s.client.raise_orchestration_event(instance_id, 'end')
    equal(s.done(instance_id).get_output(), ['first', None])


@case
def an_empty_policy_refuses_every_id_in_use(s):
    instance_id = s.start(returns_input, 'first', instance_id=new_id())
    s.done(instance_id)
    with refused(grpc.StatusCode.ALREADY_EXISTS):
        s.start(returns_input, instance_id=instance_id, reuse_id_policy=policy())
    equal(s.client.get_orchestration_state(instance_id).get_output(), 'first')


@case
def a_policy_replaces_only_the_states_it_lists(s):
    instance_id = s.start(returns_input, 'first', instance_id=new_id())
    s.done(instance_id)
    failed_only = policy(pb.ORCHESTRATION_STATUS_FAILED)
    with refused(grpc.StatusCode.ALREADY_EXISTS):
        s.start(returns_input, instance_id=instance_id, reuse_id_policy=failed_only)
    completed = policy(pb.ORCHESTRATION_STATUS_COMPLETED)
    s.start(returns_input, 'second', instance_id=instance_id, reuse_id_policy=completed)
    equal(s.done(instance_id).get_output(), 'second')


@case
def a_policy_replaces_a_live_instance(s):
    instance_id = s.start(waits_for_end, 'first', instance_id=new_id())
    s.until_status(instance_id, Status.RUNNING)
    live = policy(pb.ORCHESTRATION_STATUS_RUNNING, pb.ORCHESTRATION_STATUS_TERMINATED)
    s.start(returns_input, 'second', instance_id=instance_id, reuse_id_policy=live)
    state = s.done(instance_id)
    equal((state.get_input(), state.get_output()), ('second', 'second'))


@case
def a_policy_that_replaces_live_but_not_terminated_is_refused(s):
    text = (
        "Invalid reusable statuses: cannot exclude 'Terminated' "
        'while also allowing reuse of running instances'
    )
    with refused(grpc.StatusCode.INVALID_ARGUMENT, text):
        s.start(returns_input, reuse_id_policy=policy(pb.ORCHESTRATION_STATUS_RUNNING))
