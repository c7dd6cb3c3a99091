"""The asyncio client, task hubs."""

import asyncio

import grpc
from durabletask.client import AsyncTaskHubGrpcClient
from kit import Status, case, equal, orchestrator, refused


@orchestrator
def async_waiter(ctx, value):
    result = yield ctx.wait_for_external_event('go')
    return [value, result]


@case
def the_asyncio_client_starts_signals_and_waits(s):
    async def talk():
        async with s.new_async_client() as client:
            ids = [await client.schedule_new_orchestration(async_waiter, input=n) for n in range(5)]
            await client.wait_for_orchestration_start(ids[0], timeout=20)
            await client.suspend_orchestration(ids[0])
            await client.resume_orchestration(ids[0])
            for instance_id in ids[:4]:
                await client.raise_orchestration_event(instance_id, 'go', data='on')
            await client.terminate_orchestration(ids[4], output='off')
            waits = [client.wait_for_orchestration_completion(i, timeout=30) for i in ids]
            return await asyncio.gather(*waits)

    states = asyncio.run(talk())
    equal([state.get_output() for state in states], [[n, 'on'] for n in range(4)] + ['off'])
    equal(states[4].runtime_status, Status.TERMINATED)


@case
def the_asyncio_client_reads_history(s):
    # In the default hub: 1.12.0 of the asyncio client for Azure leaves all headers, the hub's name and the
    # token included, out of streaming calls.
    async def talk():
        async with AsyncTaskHubGrpcClient(host_address=s.address) as client:
            instance_id = await client.schedule_new_orchestration(async_waiter)
            await client.terminate_orchestration(instance_id)
            await client.wait_for_orchestration_completion(instance_id, timeout=30)
            return await client.get_orchestration_history(instance_id)

    kinds = [type(event).__name__ for event in asyncio.run(talk())]
    equal(kinds[-2:], ['ExecutionTerminatedEvent', 'ExecutionCompletedEvent'])


@case
def a_task_hub_that_does_not_exist_is_named(s):
    client = s.new_client('no-such-hub')
    with refused(grpc.StatusCode.NOT_FOUND, 'Task hub not found: no-such-hub'):
        client.get_orchestration_state('x')
    client.close()


@case
def task_hubs_do_not_see_each_other(s):
    other = s.new_client(s.own_hub())
    instance_id = s.start(async_waiter, 'mine')
    equal(other.get_orchestration_state(instance_id), None)
    with refused(grpc.StatusCode.NOT_FOUND):
        other.terminate_orchestration(instance_id)
    other.close()
    s.client.raise_orchestration_event(instance_id, 'go')
    equal(s.done(instance_id).get_output(), ['mine', None])
