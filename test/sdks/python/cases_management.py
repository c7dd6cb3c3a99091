"""Query, list, purge, restart, rewind."""

from datetime import timedelta

import grpc
from durabletask import task
from durabletask.client import OrchestrationQuery
from kit import Status, case, check, equal, new_id, refused, utc_now


def quick(ctx, value):
    if value == 'fail':
        raise ValueError('as asked')
    return value
    yield


def waiting(ctx, _):
    value = yield ctx.wait_for_external_event('go')
    return value


def family(ctx, _):
    yield ctx.call_sub_orchestrator(quick, input=1)
    yield ctx.call_sub_orchestrator(quick, input=2)


class Hub:
    """A hub of the case's own with its client and a worker."""

    def __init__(self, s, *, orchestrators=(), activities=()):
        name = s.own_hub()
        self.client = s.new_client(name)
        self.__worker = s.worker(
            orchestrators=[quick, waiting, family, *orchestrators], activities=activities, hub=name
        )

    def __enter__(self):
        self.__worker.__enter__()
        return self

    def __exit__(self, *error):
        self.__worker.__exit__(*error)
        self.client.close()

    def start(self, orchestrator, input=None, **options):
        return self.client.schedule_new_orchestration(orchestrator, input=input, **options)

    def done(self, instance_id):
        return self.client.wait_for_orchestration_completion(instance_id, timeout=30)

    def run(self, orchestrator, input=None, **options):
        instance_id = self.start(orchestrator, input, **options)
        self.done(instance_id)
        return instance_id

    def ids(self, **query):
        found = self.client.get_all_orchestration_states(OrchestrationQuery(**query))
        return [state.instance_id for state in found]


@case
def a_query_filters_by_status_prefix_and_time(s):
    with Hub(s) as hub:
        before = utc_now() - timedelta(seconds=1)
        good = [hub.run(quick, n, instance_id=f'good-{n}') for n in range(3)]
        bad = hub.run(quick, 'fail', instance_id='Good-bad')
        live = hub.start(waiting, instance_id='live')
        hub.client.wait_for_orchestration_start(live)
        equal(sorted(hub.ids()), sorted([*good, bad, live]))
        equal(hub.ids(runtime_status=[Status.COMPLETED]), good)
        equal(hub.ids(runtime_status=[Status.FAILED, Status.RUNNING]), [bad, live])
        equal(hub.ids(instance_id_prefix='good-'), good)
        equal(len(hub.ids(created_time_from=before)), 5)
        equal(hub.ids(created_time_to=before), [])
        equal(hub.ids(created_time_from=utc_now() + timedelta(minutes=1)), [])


@case
def a_query_pages_through_all_instances_once(s):
    with Hub(s) as hub:
        ids = [hub.start(quick, n) for n in range(25)]
        for instance_id in ids:
            hub.done(instance_id)
        equal(sorted(hub.ids(max_instance_count=7)), sorted(ids))


@case
def a_query_fetches_payloads_only_when_asked(s):
    with Hub(s) as hub:
        hub.run(quick, 'payload')
        query = OrchestrationQuery()
        [bare] = hub.client.get_all_orchestration_states(query)
        equal((bare.serialized_input, bare.serialized_output), (None, None))
        query = OrchestrationQuery(fetch_inputs_and_outputs=True)
        [full] = hub.client.get_all_orchestration_states(query)
        equal((full.get_input(), full.get_output()), ('payload', 'payload'))


@case
def listed_ids_are_terminal_and_come_in_pages(s):
    with Hub(s) as hub:
        ids = [hub.run(quick, n) for n in range(5)]
        live = hub.start(waiting)
        hub.client.wait_for_orchestration_start(live)
        found, token, pages = [], None, 0
        while True:
            page = hub.client.list_instance_ids(page_size=2, continuation_token=token)
            found += page.items
            pages += 1
            token = page.continuation_token
            if token is None:
                break
            check(token != '', 'an empty token')
        equal(found, ids)
        check(pages >= 3, f'{pages} pages')
        equal(hub.client.list_instance_ids(runtime_status=[Status.FAILED]).items, [])


@case
def purge_deletes_one_completed_instance(s):
    with Hub(s) as hub:
        instance_id = hub.run(quick, 1)
        result = hub.client.purge_orchestration(instance_id)
        equal((result.deleted_instance_count, result.is_complete), (1, True))
        equal(hub.client.get_orchestration_state(instance_id), None)
        equal(hub.client.get_orchestration_history(instance_id), [])
        again = hub.client.purge_orchestration(instance_id)
        equal((again.deleted_instance_count, again.is_complete), (0, True))


@case
def purge_of_a_live_instance_is_refused(s):
    with Hub(s) as hub:
        live = hub.start(waiting)
        # This version of the SDK says that the id is an orchestration's.
        with refused(grpc.StatusCode.FAILED_PRECONDITION):
            hub.client.purge_orchestration(live)
        check(hub.client.get_orchestration_state(live) is not None, 'it is gone')


@case
def purge_takes_children_along_only_when_recursive(s):
    with Hub(s) as hub:
        first, second = hub.run(family), hub.run(family)
        equal(hub.client.purge_orchestration(first, recursive=False).deleted_instance_count, 1)
        check(hub.client.get_orchestration_state(f'{first}:0001') is not None, 'the child is gone')
        equal(hub.client.purge_orchestration(second, recursive=True).deleted_instance_count, 3)
        equal(hub.client.get_orchestration_state(f'{second}:0001'), None)


@case
def purge_by_filter_deletes_terminal_matches(s):
    with Hub(s) as hub:
        good = [hub.run(quick, n) for n in range(3)]
        bad = hub.run(quick, 'fail')
        live = hub.start(waiting)
        hub.client.wait_for_orchestration_start(live)
        start = utc_now() - timedelta(hours=1)
        result = hub.client.purge_orchestrations_by(
            created_time_from=start, runtime_status=[Status.COMPLETED, Status.RUNNING]
        )
        equal((result.deleted_instance_count, result.is_complete), (len(good), True))
        equal(sorted(hub.ids()), sorted([bad, live]))
        result = hub.client.purge_orchestrations_by(timeout=timedelta(seconds=20))
        equal((result.deleted_instance_count, result.is_complete), (1, True))


@case
def restart_runs_a_completed_instance_again(s):
    with Hub(s) as hub:
        instance_id = hub.run(quick, 'again')
        equal(hub.client.restart_orchestration(instance_id), instance_id)
        state = hub.done(instance_id)
        equal((state.runtime_status, state.get_output()), (Status.COMPLETED, 'again'))


@case
def restart_with_a_new_id_leaves_the_source_alone(s):
    with Hub(s) as hub:
        live = hub.start(waiting, 'in')
        hub.client.wait_for_orchestration_start(live)
        copy = hub.client.restart_orchestration(live, restart_with_new_instance_id=True)
        check(copy != live, 'the same id')
        hub.client.raise_orchestration_event(copy, 'go', data='copy')
        state = hub.done(copy)
        equal((state.get_input(), state.get_output()), ('in', 'copy'))
        equal(hub.client.get_orchestration_state(live).runtime_status, Status.RUNNING)


@case
def restart_of_a_live_or_missing_instance_is_refused(s):
    with Hub(s) as hub:
        live = hub.start(waiting)
        with refused(grpc.StatusCode.FAILED_PRECONDITION):
            hub.client.restart_orchestration(live)
        with refused(grpc.StatusCode.NOT_FOUND):
            hub.client.restart_orchestration(new_id())


class Fault:
    """Something that is broken until a case repairs it."""

    def __init__(self):
        self.failures_left = 1
        self.runs = []

    def risky(self):
        def risky(_, value):
            self.runs.append(value)
            if value == 'risky' and self.failures_left > 0:
                self.failures_left -= 1
                raise ValueError('broken')
            return f'{value} ok'

        return risky


@case
def rewind_repeats_only_what_failed(s):
    fault = Fault()
    risky = fault.risky()

    def rewindable(ctx, _):
        first = yield ctx.call_activity(risky, input='safe')
        second = yield ctx.call_activity(risky, input='risky')
        return [first, second]

    with Hub(s, orchestrators=[rewindable], activities=[risky]) as hub:
        instance_id = hub.start(rewindable)
        equal(hub.done(instance_id).runtime_status, Status.FAILED)
        hub.client.rewind_orchestration(instance_id, reason='repaired')
        state = hub.done(instance_id)
        equal(state.runtime_status, Status.COMPLETED, state.failure_details)
        equal(state.get_output(), ['safe ok', 'risky ok'])
        equal(fault.runs, ['safe', 'risky', 'risky'])


@case
def rewind_works_again_after_a_second_failure(s):
    fault = Fault()
    fault.failures_left = 2
    risky = fault.risky()

    def rewindable(ctx, _):
        result = yield ctx.call_activity(risky, input='risky')
        return result

    with Hub(s, orchestrators=[rewindable], activities=[risky]) as hub:
        instance_id = hub.start(rewindable)
        equal(hub.done(instance_id).runtime_status, Status.FAILED)
        hub.client.rewind_orchestration(instance_id)
        equal(hub.done(instance_id).runtime_status, Status.FAILED)
        hub.client.rewind_orchestration(instance_id)
        equal(hub.done(instance_id).get_output(), 'risky ok')


@case
def rewind_goes_through_failed_children(s):
    fault = Fault()
    risky = fault.risky()

    def rewindable_child(ctx, value):
        result = yield ctx.call_activity(risky, input=value)
        return result

    def rewindable(ctx, _):
        calls = [ctx.call_sub_orchestrator(rewindable_child, input=v) for v in ('safe', 'risky')]
        results = yield task.when_all(calls)
        return results

    orchestrators = [rewindable, rewindable_child]
    with Hub(s, orchestrators=orchestrators, activities=[risky]) as hub:
        instance_id = hub.start(rewindable)
        equal(hub.done(instance_id).runtime_status, Status.FAILED)
        hub.client.rewind_orchestration(instance_id)
        state = hub.done(instance_id)
        equal(state.runtime_status, Status.COMPLETED, state.failure_details)
        equal(state.get_output(), ['safe ok', 'risky ok'])


@case
def rewind_of_other_states_is_refused(s):
    with Hub(s) as hub:
        completed = hub.run(quick, 1)
        live = hub.start(waiting)
        for instance_id in (completed, live):
            with refused(grpc.StatusCode.FAILED_PRECONDITION):
                hub.client.rewind_orchestration(instance_id)
        with refused(grpc.StatusCode.NOT_FOUND):
            hub.client.rewind_orchestration(new_id())
