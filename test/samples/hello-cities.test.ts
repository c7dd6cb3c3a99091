import assert from 'node:assert/strict';
import { outputOf, raise, RunningSample, statusWhen } from './sample-app.ts';

const GREETINGS = ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!'];

describe('sample hello-cities', function () {
  this.timeout(20_000);
  let sample: RunningSample;

  before(async () => {
    sample = await RunningSample.open('hello-cities');
  });

  after(async () => {
    assert.equal(await sample.close(), 0);
  });

  it('greets the cities one after the other', async () => {
    const links = await sample.start('orchestrators/HelloCities');

    assert.deepEqual(await outputOf(links), GREETINGS);
  });

  it('adds up what activities counted side by side', async () => {
    const links = await sample.start('orchestrators/FanOutFanIn', 20);

    assert.deepEqual(await outputOf(links), { texts: 20, words: 210 });
  });

  it('counts ten texts when the request has no body', async () => {
    const links = await sample.start('orchestrators/FanOutFanIn');

    assert.deepEqual(await outputOf(links), { texts: 10, words: 55 });
  });

  it('reminds when the time has come and says before when that is', async () => {
    const input = { text: 'stand up', afterSeconds: 2 };
    const links = await sample.start('orchestrators/Reminder', input);

    const waiting = await statusWhen(links, ({ customStatus }) => customStatus !== null);
    assert.equal(waiting.runtimeStatus, 'Running');
    assert.deepEqual(waiting.input, input);
    assert.equal(await outputOf(links), 'Reminded: stand up');
    const { dueAt } = waiting.customStatus as { dueAt: string };
    assert.ok(Date.now() >= Date.parse(dueAt), 'it reminded too early');
  });

  it('takes the decision that is raised while it waits', async () => {
    const input = { request: 'a new chair', timeoutSeconds: 60 };
    const [approved, rejected] = await Promise.all([
      sample.start('orchestrators/Approval', input),
      sample.start('orchestrators/Approval', input),
    ]);

    await statusWhen(approved, ({ customStatus }) => customStatus !== null);
    await raise(approved, 'Approval', true);
    await raise(rejected, 'Approval', false);

    assert.deepEqual(await outputOf(approved), { request: 'a new chair', outcome: 'approved' });
    assert.deepEqual(await outputOf(rejected), { request: 'a new chair', outcome: 'rejected' });
  });

  it('goes on without a decision that comes too late', async () => {
    const input = { request: 'a new desk', timeoutSeconds: 0.2 };
    const links = await sample.start('orchestrators/Approval', input);

    assert.deepEqual(await outputOf(links), { request: 'a new desk', outcome: 'timed out' });
  });

  it('says which orchestration is missing', async () => {
    const links = await sample.start('orchestrators/Nobody');

    const { output } = await statusWhen(links, ({ runtimeStatus }) => runtimeStatus === 'Failed');
    assert.match(JSON.stringify(output), /Nobody/);
  });
});
