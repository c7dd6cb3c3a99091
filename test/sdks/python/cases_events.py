"""External events, sent events, continue-as-new and custom status."""

from datetime import timedelta

import grpc
from durabletask import task
from kit import Status, case, check, equal, new_id, orchestrator, refused, until


@orchestrator
def one_event(ctx, name):
    value = yield ctx.wait_for_external_event(name)
    return value


@orchestrator
def collect(ctx, count):
    values = []
    for _ in range(count):
        value = yield ctx.wait_for_external_event('item')
        values.append(value)
    return values


@orchestrator
def late_waiter(ctx, _):
    yield ctx.create_timer(timedelta(milliseconds=700))
    value = yield ctx.wait_for_external_event('early')
    return value


@case
def an_event_raised_right_after_the_start_is_not_lost(s):
    for n in range(10):
        instance_id = s.start(one_event, 'go')
        s.client.raise_orchestration_event(instance_id, 'go', data=n)
        equal(s.done(instance_id).get_output(), n)


@case
def an_event_that_comes_before_the_wait_is_kept(s):
    instance_id = s.start(late_waiter)
    s.client.raise_orchestration_event(instance_id, 'early', data={'kept': True})
    equal(s.done(instance_id).get_output(), {'kept': True})


@case
def an_event_that_comes_during_the_wait_resumes_it(s):
    instance_id = s.start(one_event, 'go')
    s.until_status(instance_id, Status.RUNNING)
    s.client.raise_orchestration_event(instance_id, 'GO', data='any case')
    equal(s.done(instance_id).get_output(), 'any case')


@case
def an_event_without_data_resumes_a_wait(s):
    instance_id = s.start(one_event, 'go')
    s.client.raise_orchestration_event(instance_id, 'go')
    state = s.done(instance_id)
    equal(state.runtime_status, Status.COMPLETED)
    equal(state.get_output(), None)


@case
def an_event_for_a_completed_instance_is_dropped(s):
    instance_id = s.start(one_event, 'go')
    s.client.raise_orchestration_event(instance_id, 'go', data=1)
    s.done(instance_id)
    s.client.raise_orchestration_event(instance_id, 'go', data=2)
    state = s.client.get_orchestration_state(instance_id)
    equal((state.runtime_status, state.get_output()), (Status.COMPLETED, 1))


@case
def an_event_for_a_missing_instance_is_refused(s):
    with refused(grpc.StatusCode.NOT_FOUND):
        s.client.raise_orchestration_event(new_id(), 'go')


@case
def a_hundred_events_arrive_in_the_order_they_were_raised(s):
    instance_id = s.start(collect, 100)
    for n in range(100):
        s.client.raise_orchestration_event(instance_id, 'item', data=n)
    equal(s.done(instance_id).get_output(), list(range(100)))


@orchestrator
def event_or_timeout(ctx, wait_ms):
    event = ctx.wait_for_external_event('approval')
    timeout = ctx.create_timer(timedelta(milliseconds=wait_ms))
    winner = yield task.when_any([event, timeout])
    if winner is event:
        return event.get_result()
    return 'timed out'


@case
def a_wait_ends_with_its_timer_when_no_event_comes(s):
    equal(s.run(event_or_timeout, 200), 'timed out')


@case
def a_wait_ends_with_its_event_while_the_timer_runs_on(s):
    instance_id = s.start(event_or_timeout, 3_600_000)
    s.client.raise_orchestration_event(instance_id, 'approval', data='yes')
    equal(s.done(instance_id).get_output(), 'yes')


@orchestrator
def sender(ctx, target):
    ctx.send_event(target, 'go', data='from another orchestration')
    return 'sent'
    yield


@case
def an_orchestration_sends_an_event_to_another(s):
    target = s.start(one_event, 'go')
    equal(s.run(sender, target), 'sent')
    equal(s.done(target).get_output(), 'from another orchestration')


@case
def an_event_sent_to_a_missing_instance_is_dropped(s):
    equal(s.run(sender, new_id()), 'sent')


@orchestrator
def counts_down(ctx, left):
    yield ctx.create_timer(timedelta(milliseconds=1))
    if left > 0:
        ctx.continue_as_new(left - 1)
        return None
    return 'zero'


@case
def continue_as_new_runs_generation_after_generation(s):
    instance_id = s.start(counts_down, 10)
    created = s.client.get_orchestration_state(instance_id).created_at
    state = s.done(instance_id)
    equal(state.runtime_status, Status.COMPLETED)
    equal(state.get_output(), 'zero')
    equal(state.get_input(), 0)
    equal(state.created_at, created)


@orchestrator
def restarts_on_go(ctx, value):
    """Generation one waits for 'go' while items pile up; generation two counts the items it sees."""
    if value['generation'] == 1:
        yield ctx.wait_for_external_event('go')
        ctx.continue_as_new({'generation': 2, 'save': value['save']}, save_events=value['save'])
        return None
    items = []
    while True:
        item = ctx.wait_for_external_event('item')
        timeout = ctx.create_timer(timedelta(milliseconds=800))
        winner = yield task.when_any([item, timeout])
        if winner is timeout:
            return items
        items.append(item.get_result())


def pile_up(s, save):
    instance_id = s.start(restarts_on_go, {'generation': 1, 'save': save})
    for n in range(3):
        s.client.raise_orchestration_event(instance_id, 'item', data=n)
    # Sees the three in its first turn at the latest, before 'go'.
    s.until_status(instance_id, Status.RUNNING)
    s.client.raise_orchestration_event(instance_id, 'go')
    return s.done(instance_id).get_output()


@case
def continue_as_new_carries_saved_events_over_in_order(s):
    equal(pile_up(s, save=True), [0, 1, 2])


@case
def continue_as_new_forgets_events_that_are_not_saved(s):
    equal(pile_up(s, save=False), [])


@orchestrator
def drain_one_by_one(ctx, values):
    """Takes one event a generation: those still under way must survive each change of generation."""
    value = yield ctx.wait_for_external_event('item')
    values = values + [value]
    if len(values) < 30:
        ctx.continue_as_new(values, save_events=True)
        return None
    return values


@case
def no_event_is_lost_between_generations(s):
    instance_id = s.start(drain_one_by_one, [])
    for n in range(30):
        s.client.raise_orchestration_event(instance_id, 'item', data=n)
    equal(s.done(instance_id).get_output(), list(range(30)))


@orchestrator
def child_of_generations(ctx, left):
    yield ctx.create_timer(timedelta(milliseconds=1))
    if left > 0:
        ctx.continue_as_new(left - 1)
        return None
    return ctx.parent_instance_id


@orchestrator
def parent_of_generations(ctx, _):
    result = yield ctx.call_sub_orchestrator(child_of_generations, input=3)
    return result


@case
def a_child_keeps_its_parent_over_generations(s):
    instance_id = s.start(parent_of_generations)
    equal(s.done(instance_id).get_output(), instance_id)


@orchestrator
def status_teller(ctx, _):
    ctx.set_custom_status({'step': 1})
    yield ctx.wait_for_external_event('next')
    ctx.set_custom_status('step two')
    yield ctx.wait_for_external_event('next')
    ctx.set_custom_status(None)
    yield ctx.wait_for_external_event('next')


@case
def a_custom_status_is_shown_changed_and_cleared(s):
    instance_id = s.start(status_teller)

    def shows(status):
        until(
            lambda: s.client.get_orchestration_state(instance_id).get_custom_status() == status,
            f'custom status {status}',
        )

    shows({'step': 1})
    check(s.status(instance_id) == Status.RUNNING, 'not running')
    s.client.raise_orchestration_event(instance_id, 'next')
    shows('step two')
    s.client.raise_orchestration_event(instance_id, 'next')
    shows(None)
    s.client.raise_orchestration_event(instance_id, 'next')
    equal(s.done(instance_id).get_custom_status(), None)


@orchestrator
def status_at_end(ctx, _):
    ctx.set_custom_status('kept')
    return 'done'
    yield


@case
def the_last_custom_status_outlives_the_orchestration(s):
    state = s.done(s.start(status_at_end))
    equal((state.get_custom_status(), state.get_output()), ('kept', 'done'))
