import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import {
  complete,
  completeWith,
  continueAsNew,
  fail,
  scheduleTask,
} from '../../support/actions.ts';
import type { InstanceRecord } from '../../../src/storage/store.ts';
import { caseOf, decodeFramed, raise, turn, type UseBench } from './bench.ts';

export function readsContract(use: UseBench): void {
  describe('reading an instance', () => {
    it('that does not exist finds nothing', async () => {
      const bench = use();
      assert.equal(await bench.store.getInstance('default', 'x', { payloads: true }), undefined);
    });

    it('shows its output when it is COMPLETED', async () => {
      const bench = use();
      const item = await bench.begin('a', { input: '"in"' });
      bench.advance(10);
      await bench.apply(turn(item, [complete('"out"')], { customStatus: '"c"' }));
      const record = await bench.get('a');
      assert.deepEqual(
        [record.status, record.input, record.output, record.customStatus, record.failureDetails],
        [OrchestrationStatus.COMPLETED, '"in"', '"out"', '"c"', undefined],
      );
      assert.deepEqual([record.completedAt, record.updatedAt], [bench.now, bench.now]);
    });

    it('shows its failure and no output when it is FAILED', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [fail('Boom', 'no')]));
      const { status, output, failureDetails } = await bench.get('a');
      assert.equal(status, OrchestrationStatus.FAILED);
      assert.equal(output, undefined);
      assert.deepEqual([failureDetails?.errorType, failureDetails?.errorMessage], ['Boom', 'no']);
    });

    it('always shows failure details when it is FAILED, for clients dereference them', async () => {
      const bench = use();
      const failed = completeWith(OrchestrationStatus.FAILED, { result: '"why"' });
      await bench.apply(turn(await bench.begin('a'), [failed]));
      const { output, failureDetails } = await bench.get('a');
      assert.equal(output, undefined);
      assert.equal(failureDetails?.errorMessage, '"why"');
    });

    it('shows the output given to terminate when it is TERMINATED', async () => {
      const bench = use();
      const end = completeWith(OrchestrationStatus.TERMINATED, { result: '"stop"' });
      await bench.apply(turn(await bench.begin('a'), [end]));
      const { status, output, failureDetails } = await bench.get('a');
      assert.deepEqual(
        [status, output, failureDetails],
        [OrchestrationStatus.TERMINATED, '"stop"', undefined],
      );
    });

    it('tells an empty value from none', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a', { input: '' }), [complete('')]));
      await bench.apply(turn(await bench.begin('b'), [complete()]));
      const [a, b] = [await bench.get('a'), await bench.get('b')];
      assert.deepEqual([a.input, a.output], ['', '']);
      assert.deepEqual([b.input, b.output], [undefined, undefined]);
    });

    it('leaves payloads out unless they are asked for', async () => {
      const bench = use();
      const item = await bench.begin('a', { input: '"in"' });
      await bench.apply(turn(item, [complete('"out"')], { customStatus: '"c"' }));
      const record = await bench.store.getInstance('default', 'a', { payloads: false });
      assert.deepEqual(
        [record?.input, record?.output, record?.customStatus, record?.status],
        [undefined, undefined, undefined, OrchestrationStatus.COMPLETED],
      );
    });

    it('shows the output of a last turn that fills several history chunks', async () => {
      const bench = use();
      const tasks = Array.from({ length: 20 }, (_, n) =>
        scheduleTask(n, 'A', { input: 'x'.repeat(64 * 1024) }),
      );
      await bench.apply(turn(await bench.begin('a'), [...tasks, complete('"out"')]));
      assert.equal((await bench.get('a')).output, '"out"');
    });

    it('sets the custom status, keeps it apart from none and clears it', async () => {
      const bench = use();
      const states: (string | undefined)[] = [];
      let item = await bench.begin('a');
      for (const customStatus of ['"x"', undefined, '"y"', '']) {
        await bench.apply(turn(item, [], { customStatus }));
        states.push((await bench.get('a')).customStatus);
        await bench.apply(raise('a', 'next'));
        item = await bench.takeTurn();
      }
      assert.deepEqual(states, ['"x"', undefined, '"y"', undefined]);
    });

    it('sees one state of it, whatever is committed meanwhile', async () => {
      const bench = use();
      let item = await bench.begin('a', { input: '0' });
      for (let generation = 1; generation <= 3; generation += 1) {
        await bench.apply(turn(item));
        await bench.apply(raise('a', 'x'));
        const next = turn(await bench.takeTurn(), [continueAsNew(String(generation))]);
        const reads: Promise<InstanceRecord>[] = [];
        const going = bench.apply(next);
        for (let hop = 0; hop < 500; hop += 1) {
          reads.push(bench.get('a'));
          await Promise.resolve();
        }
        await going;
        for (const { input } of await Promise.all(reads)) {
          assert.ok(input === String(generation - 1) || input === String(generation), input);
        }
        item = await bench.takeTurn();
      }
    });

    it('gives the statuses of those ids that exist', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [complete()]));
      await bench.apply(bench.start('b'));
      const found = await bench.store.statuses('default', ['a', 'b', 'c']);
      assert.deepEqual(
        [...found],
        [
          ['a', OrchestrationStatus.COMPLETED],
          ['b', OrchestrationStatus.PENDING],
        ],
      );
      assert.equal((await bench.store.statuses('nowhere', ['a'])).size, 0);
    });
  });

  describe('reading a history', () => {
    const { signal } = new AbortController();

    it('gives each committed event once, in order', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(raise('a', 'x'));
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
      assert.deepEqual((await bench.history('a')).map(caseOf), [
        'orchestratorStarted',
        'executionStarted',
        'taskScheduled',
        'orchestratorStarted',
        'eventRaised',
        'executionCompleted',
      ]);
    });

    it('is what the next work item brings as past events', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(raise('a', 'x'));
      const item = await bench.takeTurn();
      assert.deepEqual(item.history.flatMap(decodeFramed), await bench.history('a'));
    });

    it('comes in chunks of a bounded size', async () => {
      const bench = use();
      const tasks = Array.from({ length: 40 }, (_, n) =>
        scheduleTask(n, 'A', { input: 'x'.repeat(50 * 1024) }),
      );
      await bench.apply(turn(await bench.begin('a'), tasks));
      const sizes: number[] = [];
      const options = {
        hub: 'default',
        instanceId: 'a',
        executionId: undefined,
        forWorker: false,
        signal,
      };
      for await (const chunk of bench.store.history(options)) sizes.push(chunk.length);
      assert.ok(sizes.length >= 8);
      assert.ok(Math.max(...sizes) < 400 * 1024);
    });

    it('of a missing instance is empty, of another execution refused', async () => {
      const bench = use();
      const { executionId } = await bench.begin('a');
      assert.deepEqual(await bench.history('nobody'), []);
      const read = async (id: string): Promise<void> => {
        const options = {
          hub: 'default',
          instanceId: 'a',
          executionId: id,
          forWorker: false,
          signal,
        };
        for await (const chunk of bench.store.history(options)) assert.fail(String(chunk.length));
      };
      await read(executionId);
      await assert.rejects(read('other'), { code: 'WRONG_STATE' });
    });

    it('stops when its reader goes away', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a')));
      const gone = AbortSignal.abort(new Error('gone'));
      const chunks = bench.store.history({
        hub: 'default',
        instanceId: 'a',
        executionId: undefined,
        forWorker: false,
        signal: gone,
      });
      await assert.rejects(Array.fromAsync(chunks), { message: 'gone' });
    });

    it('of an instance that goes on as new meanwhile is refused rather than cut short', async () => {
      const bench = use();
      for (const step of [1, 2]) {
        await bench.apply(turn(step === 1 ? await bench.begin('a') : await bench.takeTurn()));
        await bench.apply(raise('a', 'x'));
      }
      const item = await bench.takeTurn();
      const options = {
        hub: 'default',
        instanceId: 'a',
        executionId: undefined,
        forWorker: false,
        signal,
      };
      const reader = bench.store.history(options)[Symbol.asyncIterator]();
      assert.equal((await reader.next()).done, false);
      await bench.apply(turn(item, [continueAsNew()]));
      await assert.rejects(reader.next(), { code: 'WRONG_STATE' });
    });
  });
}
