"""Activities, timers, sub-orchestrations, retries and failures."""

import threading
import time
from datetime import timedelta

from durabletask import task
from kit import (
    Status,
    activity,
    case,
    check,
    equal,
    new_id,
    orchestrator,
    seconds,
)

# What activities of this process saw, by a key that the case chose.
seen = {}
seen_lock = threading.Lock()


def note(key, value):
    with seen_lock:
        seen.setdefault(key, []).append(value)
        return len(seen[key])


@activity
def plus_one(_, value):
    return value + 1


@activity
def echo(_, value):
    return value


@activity
def fail_until(_, value):
    """Fails until its nth attempt."""
    attempt = note(value['key'], time.monotonic())
    if attempt < value['succeeds_at']:
        raise ValueError(f'attempt {attempt} fails')
    return attempt


@activity
def fail_with_cause(_, __):
    try:
        try:
            raise KeyError('the root')
        except KeyError as error:
            raise ValueError('the middle') from error
    except ValueError as error:
        raise RuntimeError('the top') from error


@orchestrator
def chain(ctx, value):
    for _ in range(3):
        value = yield ctx.call_activity(plus_one, input=value)
    return value


@case
def a_chain_of_activities_passes_results_on(s):
    instance_id = s.start(chain, 4)
    state = s.done(instance_id)
    equal(state.runtime_status, Status.COMPLETED)
    equal(state.get_output(), 7)
    equal(state.name, 'chain')
    equal(state.instance_id, instance_id)
    check(state.created_at <= state.last_updated_at, 'created after it was last updated')


@orchestrator
def fan_out(ctx, count):
    results = yield task.when_all([ctx.call_activity(plus_one, input=n) for n in range(count)])
    return results


@case
def a_fan_out_returns_results_in_the_order_of_calls(s):
    equal(s.run(fan_out, 60), [n + 1 for n in range(60)])


@orchestrator
def first_of(ctx, _):
    quick = ctx.create_timer(timedelta(milliseconds=100))
    slow = ctx.create_timer(timedelta(hours=1))
    winner = yield task.when_any([quick, slow])
    return winner is quick


@case
def the_first_of_two_timers_ends_the_orchestration(s):
    equal(s.run(first_of), True)


@orchestrator
def timers(ctx, _):
    times = [ctx.current_utc_datetime.timestamp()]
    for _ in range(3):
        yield ctx.create_timer(timedelta(milliseconds=400))
        times.append(ctx.current_utc_datetime.timestamp())
    return times


@case
def a_timer_never_fires_early(s):
    times = s.run(timers)
    for before, after in zip(times, times[1:]):
        check(after - before >= 0.399, f'fired after {after - before:.3f} s')
        check(after - before < 5, f'fired after {after - before:.3f} s')


@orchestrator
def timer_in_the_past(ctx, _):
    yield ctx.create_timer(ctx.current_utc_datetime - seconds(60))
    return 'fired'


@case
def a_timer_in_the_past_fires_at_once(s):
    equal(s.run(timer_in_the_past), 'fired')


@orchestrator
def no_value(ctx, value):
    result = yield ctx.call_activity(echo, input=value)
    return result


@case
def an_absent_input_stays_absent(s):
    state = s.done(s.start(no_value))
    equal(state.runtime_status, Status.COMPLETED)
    equal(state.serialized_input, None)
    equal(state.get_output(), None)


@case
def a_payload_of_900_KB_comes_back_byte_for_byte(s):
    text = 'größer ☃ 𝄞 "\\' * 22_000
    equal(s.run(no_value, text), text)


@orchestrator
def many_large(ctx, size):
    parts = yield task.when_all([ctx.call_activity(echo, input='x' * size) for _ in range(5)])
    return [len(part) for part in parts]


@case
def a_history_of_3_MB_is_delivered(s):
    equal(s.run(many_large, 300_000), [300_000] * 5)


@orchestrator
def child(ctx, value):
    if ctx.parent_instance_id is None:
        raise ValueError('the child knows no parent')
    result = yield ctx.call_activity(plus_one, input=value)
    return {'id': ctx.instance_id, 'parent': ctx.parent_instance_id, 'value': result}


@orchestrator
def parent(ctx, value):
    result = yield ctx.call_sub_orchestrator(child, input=value)
    return result


@case
def a_child_knows_its_parent_and_answers_it(s):
    instance_id = s.start(parent, 1)
    output = s.done(instance_id).get_output()
    equal(output['value'], 2)
    equal(output['parent'], instance_id)
    # The SDK derives it: parent id and the number of the action.
    equal(output['id'], f'{instance_id}:0001')
    equal(s.status(output['id']), Status.COMPLETED)


@orchestrator
def parent_fan_out(ctx, count):
    calls = [ctx.call_sub_orchestrator(child, input=n) for n in range(count)]
    results = yield task.when_all(calls)
    return [result['value'] for result in results]


@case
def twenty_children_at_once_answer_in_order(s):
    equal(s.run(parent_fan_out, 20), [n + 1 for n in range(20)])


@orchestrator
def failing(ctx, message):
    raise ValueError(message)
    yield


@orchestrator
def parent_of_failing(ctx, child_id):
    try:
        yield ctx.call_sub_orchestrator(failing, input='no luck', instance_id=child_id)
    except task.TaskFailedError as error:
        return {'type': error.details.error_type, 'message': error.details.message}
    return 'the child did not fail'


@case
def the_failure_of_a_child_reaches_its_parent(s):
    child_id = new_id()
    output = s.run(parent_of_failing, child_id)
    check('no luck' in output['message'], output)
    check(output['type'].endswith('ValueError'), output)
    equal(s.status(child_id), Status.FAILED)


@orchestrator
def child_until(ctx, value):
    result = yield ctx.call_activity(fail_until, input=value)
    return result


@orchestrator
def parent_with_retries(ctx, value):
    policy = task.RetryPolicy(
        first_retry_interval=timedelta(milliseconds=100), max_number_of_attempts=5
    )
    result = yield ctx.call_sub_orchestrator(
        child_until, input=value, instance_id=value['child'], retry_policy=policy
    )
    return result


@case
def a_failed_child_is_retried_under_the_same_id(s):
    child_id = new_id()
    equal(s.run(parent_with_retries, {'key': new_id(), 'succeeds_at': 3, 'child': child_id}), 3)
    equal(s.status(child_id), Status.COMPLETED)


@orchestrator
def waits_for_go(ctx, _):
    value = yield ctx.wait_for_external_event('go')
    return value


@orchestrator
def parent_of_taken(ctx, child_id):
    try:
        yield ctx.call_sub_orchestrator(waits_for_go, instance_id=child_id)
    except task.TaskFailedError:
        return 'refused'
    return 'accepted'


@case
def a_child_id_that_a_live_instance_holds_fails_the_call(s):
    taken = s.start(waits_for_go)
    s.until_status(taken, Status.RUNNING)
    equal(s.run(parent_of_taken, taken), 'refused')
    equal(s.status(taken), Status.RUNNING)
    s.client.raise_orchestration_event(taken, 'go', data='still here')
    equal(s.done(taken).get_output(), 'still here')


@orchestrator
def fails_with_cause(ctx, _):
    yield ctx.call_activity(fail_with_cause)


@case
def failure_details_keep_the_chain_of_causes(s):
    instance_id = s.start(fails_with_cause)
    failure = s.done(instance_id).failure_details
    chain_of = []
    while failure is not None:
        chain_of.append((failure.error_type.rsplit('.', 1)[-1], failure.message))
        failure = getattr(failure, 'inner_failure', None)
    # The failed task wraps what the activity raised.
    kinds = [kind for kind, _ in chain_of]
    check(kinds[0] == 'TaskFailedError', chain_of)
    equal(kinds[-3:], ['RuntimeError', 'ValueError', 'KeyError'], chain_of)
    check('the root' in chain_of[-1][1], chain_of)


@orchestrator
def retries_activity(ctx, value):
    policy = task.RetryPolicy(
        first_retry_interval=timedelta(milliseconds=200),
        max_number_of_attempts=3,
        backoff_coefficient=2,
    )
    result = yield ctx.call_activity(fail_until, input=value, retry_policy=policy)
    return result


@case
def a_retry_policy_repeats_an_activity_with_growing_pauses(s):
    key = new_id()
    equal(s.run(retries_activity, {'key': key, 'succeeds_at': 3}), 3)
    first, second, third = seen[key]
    check(second - first >= 0.19, f'first pause {second - first:.3f} s')
    check(third - second >= 0.39, f'second pause {third - second:.3f} s')


@case
def a_retry_policy_gives_up_after_its_last_attempt(s):
    key = new_id()
    state = s.done(s.start(retries_activity, {'key': key, 'succeeds_at': 99}))
    equal(state.runtime_status, Status.FAILED)
    equal(len(seen[key]), 3)


@orchestrator
def catches_failure(ctx, _):
    try:
        yield ctx.call_activity(fail_with_cause)
    except task.TaskFailedError as error:
        result = yield ctx.call_activity(echo, input=error.details.message)
        return result


@case
def a_caught_failure_lets_the_orchestration_go_on(s):
    equal(s.run(catches_failure), 'the top')


@case
def an_uncaught_error_fails_the_orchestration_with_its_details(s):
    state = s.done(s.start(failing, 'broken'))
    equal(state.runtime_status, Status.FAILED)
    equal(state.failure_details.message, 'broken')
    check(state.failure_details.error_type.endswith('ValueError'), state.failure_details)
    check(state.failure_details.stack_trace, 'no stack trace')
    equal(state.serialized_output, None)


@orchestrator
def completes_in_one_turn(ctx, value):
    return value


@case
def an_orchestrator_that_never_waits_completes(s):
    equal(s.run(completes_in_one_turn, [1, 'two', None, {'three': 3}]), [1, 'two', None, {'three': 3}])


@orchestrator
def mixed(ctx, _):
    calls = [
        ctx.call_activity(plus_one, input=1),
        ctx.call_sub_orchestrator(child, input=10),
        ctx.create_timer(timedelta(milliseconds=50)),
    ]
    number, answer, _ = yield task.when_all(calls)
    return [number, answer['value']]


@case
def activities_children_and_timers_are_awaited_together(s):
    equal(s.run(mixed), [2, 11])
