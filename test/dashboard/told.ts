import { tellStory } from '../../src/dashboard/model/history.ts';
import type { Story } from '../../src/dashboard/model/story.ts';
import type { EventJson } from '../../src/server/http/api/contract.ts';

/** A history under construction: each call is an event, one second after the one before. */
export class Told {
  readonly events: EventJson[] = [];
  #second = 0;

  constructor() {
    this.turn().add('executionStarted', { name: 'Order' });
  }

  add(kind: string, more: Partial<EventJson> = {}): this {
    this.#second += 1;
    const position = this.events.length + 1;
    const at = new Date(this.#second * 1000).toISOString();
    this.events.push({ ref: `r${position}`, position, kind, eventId: position, at, ...more });
    return this;
  }

  turn(): this {
    return this.add('orchestratorStarted', { eventId: -1 });
  }

  activity(eventId: number, name: string, bytes = 2): this {
    const payloads = { input: { bytes, isCut: false } };
    return this.add('taskScheduled', { eventId, name, payloads });
  }

  done(scheduledId: number): this {
    return this.add('taskCompleted', { eventId: -1, scheduledId });
  }

  failed(scheduledId: number): this {
    const failure = { type: 'RangeError', message: 'no' };
    return this.add('taskFailed', { eventId: -1, scheduledId, failure });
  }

  timer(eventId: number): this {
    return this.add('timerCreated', { eventId, fireAt: new Date(60_000).toISOString() });
  }

  fired(scheduledId: number): this {
    return this.add('timerFired', { eventId: -1, scheduledId });
  }

  ended(status: EventJson['status'] = 'Completed'): this {
    return this.add('executionCompleted', { eventId: -1, status });
  }

  get story(): Story {
    return tellStory(this.events);
  }
}
