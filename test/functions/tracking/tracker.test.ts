import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { readLogFilter } from '../../../src/config/log-filter.ts';
import { EntityInstanceId } from '../../../src/core/entity-instance-id.ts';
import { trackedEntity } from '../../../src/functions/tracking/track-invocations.ts';
import { trackedTurns } from '../../../src/functions/tracking/track-turn.ts';
import { Tracker } from '../../../src/functions/tracking/tracker.ts';
import type {
  HistoryEvent,
  OrchestratorAction,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { HistoryEventSchema } from '../../../src/proto/orchestrator_service_pb.ts';
import type { LogRecord } from '../../../src/telemetry/log-records.ts';
import type { TaskEntityOperation } from '../../../src/worker/task-entity.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import { continueAsNew, createTimer } from '../../support/actions.ts';
import { event } from '../../worker/support/work-items.ts';

const CATEGORY = 'Host.Triggers.DurableTask';

describe('tracking events', () => {
  let records: LogRecord[];
  let clock: ManualClock;
  beforeEach(() => {
    records = [];
    clock = new ManualClock(1_000);
  });

  function open(logLevel?: Record<string, string>): Tracker {
    const hostJson = {
      file: 'host.json',
      ...{ text: () => undefined, number: () => undefined, flag: () => undefined },
      section: () => logLevel,
    };
    return new Tracker({
      ...{ clock, taskHub: 'hub', env: { WEBSITE_SITE_NAME: 'app', WEBSITE_SLOT_NAME: 'blue' } },
      write: (record) => records.push(record),
      filter: readLogFilter(hostJson),
    });
  }

  /** What one turn of an orchestrator `Trip` says: state and reason of each event. */
  function turn(newEvents: HistoryEvent[], actions: OrchestratorAction[]): unknown[] {
    const around = trackedTurns('Trip', (_, run) => run(), open());
    const info = { instanceId: 'i', executionId: 'e', newEvents, span: undefined };
    void around(info, () => ({ actions, customStatus: undefined, isComplete: false }));
    return records.map(({ attributes }) => [attributes['prop__state'], attributes['prop__reason']]);
  }

  it('of an entity name its operations and how long they took', async () => {
    const make = trackedEntity(
      'counter',
      () => ({
        run: (operation) => {
          clock.advance(12);
          if (operation.name === 'fail') throw new Error('no');
          return 5;
        },
      }),
      { tracker: open(), clock },
    );
    const entity = make(new EntityInstanceId('counter', 'k'));
    assert.equal(await entity.run({ name: 'add' } as TaskEntityOperation), 5);
    await assert.rejects(async () => entity.run({ name: 'fail' } as TaskEntityOperation), /no/);

    const [done, failed] = records;
    assert.match(
      done?.body ?? '',
      /^@counter@k: Function 'counter \(Entity\)' completed 'add' oper/,
    );
    assert.equal(done?.attributes['prop__operationName'], 'add');
    assert.equal(done.attributes['prop__duration'], '12');
    assert.deepEqual([failed?.level, failed?.attributes['prop__exception']], ['error', 'no']);
  });

  it('of an orchestrator tell what came, and what it waits for now', () => {
    const said = turn(
      [create(HistoryEventSchema, event({ case: 'eventRaised', value: { name: 'go' } }))],
      [createTimer(7, 60_000)],
    );
    assert.deepEqual(said, [
      ['ExternalEventRaised', 'ExternalEvent:go'],
      ['Listening', 'CreateTimer:1970-01-01T00:01:00.000Z'],
      ['Awaited', undefined],
    ]);
  });

  it('count an execution that goes on anew as completed', () => {
    turn([], [continueAsNew('1')]);
    assert.equal(records.length, 1);
    assert.equal(records[0]?.attributes['prop__continuedAsNew'], 'True');
    assert.equal(records[0].attributes['prop__runtimeStatus'], 'ContinuedAsNew');
  });

  it('are left out as logging.logLevel says', () => {
    const of = { instanceId: 'i', functionName: 'f', functionType: 'Activity' } as const;
    for (const logLevel of [{ default: 'Warning' }, { [CATEGORY]: 'None' }, { Host: 'Error' }]) {
      const tracker = open(logLevel);
      tracker.track({ ...of, state: 'Started', text: 'started' });
      tracker.track({ ...of, state: 'Failed', text: 'failed with an error' });
    }
    assert.deepEqual(
      records.map(({ attributes }) => attributes['prop__state']),
      ['Failed', 'Failed'],
    );
  });

  it('carry the app, its slot and its hub, and are numbered', () => {
    const tracker = open();
    const of = { instanceId: 'i', functionName: 'f', functionType: 'Activity' } as const;
    tracker.track({ ...of, state: 'Started', text: 'started' });
    tracker.track({ ...of, state: 'Completed', text: 'completed' });
    const [first, second] = records.map(({ attributes }) => attributes);
    assert.deepEqual(
      ['hubName', 'appName', 'slotName', 'sequenceNumber'].map((name) => first?.[`prop__${name}`]),
      ['hub', 'app', 'blue', '1'],
    );
    assert.equal(second?.['prop__sequenceNumber'], '2');
  });
});
