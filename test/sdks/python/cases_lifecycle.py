"""Terminate, suspend and resume."""

from datetime import timedelta

import grpc
from kit import (
    Status,
    activity,
    case,
    equal,
    new_id,
    orchestrator,
    refused,
    seconds,
    stays,
    until,
    utc_now,
)


@orchestrator
def sleeps(ctx, _):
    yield ctx.create_timer(timedelta(hours=1))


@orchestrator
def waits_here(ctx, _):
    value = yield ctx.wait_for_external_event('go')
    return value


@orchestrator
def parent_of_sleeper(ctx, child_id):
    yield ctx.call_sub_orchestrator(waits_here, instance_id=child_id)


@activity
def say_done(_, value):
    return f'{value} done'


@orchestrator
def two_steps(ctx, _):
    yield ctx.wait_for_external_event('go')
    first = yield ctx.call_activity(say_done, input='one')
    second = yield ctx.call_activity(say_done, input='two')
    return [first, second]


@case
def terminate_ends_a_running_instance_with_the_output(s):
    instance_id = s.start(sleeps)
    s.until_status(instance_id, Status.RUNNING)
    s.client.terminate_orchestration(instance_id, output={'because': 'enough'})
    state = s.done(instance_id)
    equal(state.runtime_status, Status.TERMINATED)
    equal(state.get_output(), {'because': 'enough'})
    equal(state.failure_details, None)


@case
def terminate_without_output_leaves_none(s):
    instance_id = s.start(sleeps)
    s.client.terminate_orchestration(instance_id)
    state = s.done(instance_id)
    equal((state.runtime_status, state.get_output()), (Status.TERMINATED, None))


@case
def terminate_reaches_children_when_it_is_recursive(s):
    child_id = new_id()
    instance_id = s.start(parent_of_sleeper, child_id)
    s.until_status(child_id, Status.RUNNING)
    s.client.terminate_orchestration(instance_id, output='all', recursive=True)
    equal(s.done(instance_id).runtime_status, Status.TERMINATED)
    state = s.done(child_id)
    equal((state.runtime_status, state.get_output()), (Status.TERMINATED, 'all'))


@case
def terminate_leaves_children_alone_when_it_is_not_recursive(s):
    child_id = new_id()
    instance_id = s.start(parent_of_sleeper, child_id)
    s.until_status(child_id, Status.RUNNING)
    s.client.terminate_orchestration(instance_id, recursive=False)
    equal(s.done(instance_id).runtime_status, Status.TERMINATED)
    stays(lambda: s.status(child_id) == Status.RUNNING, 'the child is running')
    s.client.raise_orchestration_event(child_id, 'go', data='alone')
    equal(s.done(child_id).get_output(), 'alone')
    equal(s.status(instance_id), Status.TERMINATED)


@case
def terminate_ends_an_instance_whose_start_is_scheduled(s):
    instance_id = s.start(sleeps, start_at=utc_now() + seconds(3600))
    equal(s.status(instance_id), Status.PENDING)
    s.client.terminate_orchestration(instance_id, output='never ran')
    state = s.done(instance_id)
    equal((state.runtime_status, state.get_output()), (Status.TERMINATED, 'never ran'))


@case
def terminate_ends_a_suspended_instance(s):
    instance_id = s.start(sleeps)
    s.client.suspend_orchestration(instance_id)
    s.until_status(instance_id, Status.SUSPENDED)
    s.client.terminate_orchestration(instance_id)
    equal(s.done(instance_id).runtime_status, Status.TERMINATED)


@case
def terminate_of_a_completed_instance_has_no_effect(s):
    instance_id = s.start(waits_here)
    s.client.raise_orchestration_event(instance_id, 'go', data='first')
    s.done(instance_id)
    s.client.terminate_orchestration(instance_id, output='second')
    s.client.suspend_orchestration(instance_id)
    s.client.resume_orchestration(instance_id)
    state = s.client.get_orchestration_state(instance_id)
    equal((state.runtime_status, state.get_output()), (Status.COMPLETED, 'first'))


@case
def verbs_on_a_missing_instance_are_refused(s):
    for verb in (
        s.client.terminate_orchestration,
        s.client.suspend_orchestration,
        s.client.resume_orchestration,
    ):
        with refused(grpc.StatusCode.NOT_FOUND):
            verb(new_id())


@case
def a_suspended_instance_keeps_events_for_later(s):
    instance_id = s.start(two_steps)
    s.until_status(instance_id, Status.RUNNING)
    s.client.suspend_orchestration(instance_id, reason='hold on')
    s.until_status(instance_id, Status.SUSPENDED)
    s.client.raise_orchestration_event(instance_id, 'go')
    stays(lambda: s.status(instance_id) == Status.SUSPENDED, 'the instance stays suspended')
    s.client.resume_orchestration(instance_id, reason='go on')
    equal(s.done(instance_id).get_output(), ['one done', 'two done'])


@case
def resume_of_an_instance_that_is_not_suspended_has_no_effect(s):
    instance_id = s.start(two_steps)
    s.client.resume_orchestration(instance_id)
    s.client.raise_orchestration_event(instance_id, 'go')
    state = s.done(instance_id)
    equal(state.runtime_status, Status.COMPLETED, state.failure_details)


@case
def a_second_suspend_needs_no_second_resume(s):
    instance_id = s.start(two_steps)
    s.client.suspend_orchestration(instance_id)
    s.client.suspend_orchestration(instance_id)
    s.until_status(instance_id, Status.SUSPENDED)
    s.client.resume_orchestration(instance_id)
    s.until_status(instance_id, Status.RUNNING)
    s.client.raise_orchestration_event(instance_id, 'go')
    state = s.done(instance_id)
    equal(state.runtime_status, Status.COMPLETED, state.failure_details)


@orchestrator
def short_timer(ctx, _):
    yield ctx.wait_for_external_event('arm')
    ctx.set_custom_status('armed')
    yield ctx.create_timer(timedelta(milliseconds=300))
    return 'fired'


@case
def a_timer_that_fires_during_suspension_counts_after_it(s):
    instance_id = s.start(short_timer)
    s.client.raise_orchestration_event(instance_id, 'arm')
    until(
        lambda: s.client.get_orchestration_state(instance_id).get_custom_status() == 'armed',
        'the timer is set',
    )
    s.client.suspend_orchestration(instance_id)
    s.until_status(instance_id, Status.SUSPENDED)
    stays(lambda: s.status(instance_id) == Status.SUSPENDED, 'the instance stays suspended')
    s.client.resume_orchestration(instance_id)
    equal(s.done(instance_id).get_output(), 'fired')
