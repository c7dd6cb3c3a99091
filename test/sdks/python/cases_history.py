"""The history as clients read it: its shape, ids, tags and parent."""

from datetime import timedelta

from kit import activity, case, check, equal, new_id, orchestrator, refused  # noqa: F401


@activity
def history_activity(_, value):
    return value


@orchestrator
def history_child(ctx, value):
    return value
    yield


@orchestrator
def history_parent(ctx, _):
    yield ctx.call_activity(history_activity, input=1, tags={'kind': 'activity'})
    yield ctx.create_timer(timedelta(milliseconds=100))
    yield ctx.call_sub_orchestrator(history_child, input=2)


def kinds(events):
    return [type(event).__name__.removesuffix('Event') for event in events]


@case
def the_history_of_a_chain_has_twelve_events(s):
    instance_id = s.start(history_parent, tags={'kind': 'orchestration', 'empty': ''})
    s.done(instance_id)
    events = s.client.get_orchestration_history(instance_id)
    equal(
        kinds(events),
        [
            'OrchestratorStarted',
            'ExecutionStarted',
            'TaskScheduled',
            'OrchestratorStarted',
            'TaskCompleted',
            'TimerCreated',
            'OrchestratorStarted',
            'TimerFired',
            'SubOrchestrationInstanceCreated',
            'OrchestratorStarted',
            'SubOrchestrationInstanceCompleted',
            'ExecutionCompleted',
        ],
    )
    _, started, scheduled, _, completed, created, _, fired, child, _, answered, _ = events
    equal(started.tags, {'kind': 'orchestration', 'empty': ''})
    equal(scheduled.tags, {'kind': 'activity'})
    equal(completed.task_scheduled_id, scheduled.event_id)
    equal((fired.timer_id, fired.fire_at), (created.event_id, created.fire_at))
    equal(answered.task_scheduled_id, child.event_id)
    numbered = [event.event_id for event in events if event.event_id >= 0]
    equal(numbered[:3], [scheduled.event_id, created.event_id, child.event_id])
    equal(numbered, sorted(set(numbered)))
    stamps = [event.timestamp for event in events if 'OrchestratorStarted' in type(event).__name__]
    equal(stamps, sorted(stamps))


@case
def the_history_of_a_child_names_its_parent(s):
    instance_id = s.start(history_parent)
    s.done(instance_id)
    parent_started = s.client.get_orchestration_history(instance_id)[1]
    child_id = f'{instance_id}:0003'
    started = s.client.get_orchestration_history(child_id)[1]
    execution_id = parent_started.orchestration_instance.execution_id
    equal(len(execution_id), 32)
    info = started.parent_instance
    equal(info.orchestration_instance.instance_id, instance_id)
    equal(info.orchestration_instance.execution_id, execution_id)
    equal((info.name, info.task_scheduled_id), ('history_parent', 3))
    check(started.orchestration_instance.execution_id != execution_id, 'one execution id for two')


@case
def the_history_of_a_missing_instance_is_empty(s):
    equal(s.client.get_orchestration_history(new_id()), [])


@orchestrator
def history_waiter(ctx, _):
    yield ctx.wait_for_external_event('go')


@case
def the_history_shows_events_suspension_and_termination(s):
    instance_id = s.start(history_waiter)
    s.client.wait_for_orchestration_start(instance_id)
    s.client.suspend_orchestration(instance_id, reason='pause')
    s.client.resume_orchestration(instance_id, reason='on')
    s.client.raise_orchestration_event(instance_id, 'other', data=7)
    s.client.terminate_orchestration(instance_id, output='over')
    s.done(instance_id)
    events = s.client.get_orchestration_history(instance_id)
    told = [event for event in events if kinds([event])[0] != 'OrchestratorStarted']
    equal(
        kinds(told),
        [
            'ExecutionStarted',
            'ExecutionSuspended',
            'ExecutionResumed',
            'EventRaised',
            'ExecutionTerminated',
            'ExecutionCompleted',
        ],
    )
    equal((told[1].input, told[2].input), ('pause', 'on'))
    equal((told[3].name, told[3].input), ('other', '7'))
    equal((told[4].input, told[5].result), ('"over"', '"over"'))
    check(all(event.event_id == -1 for event in told[:5]), told)


@orchestrator
def history_long(ctx, count):
    for n in range(count):
        yield ctx.call_activity(history_activity, input='x' * 1000)


@case
def a_history_of_several_messages_is_read_whole(s):
    instance_id = s.start(history_long, 300)
    s.done(instance_id, timeout=60)
    events = s.client.get_orchestration_history(instance_id)
    # started + execution, three for each call, completed
    equal(len(events), 2 + 300 * 3 + 1)
