import { TaskHubError } from '../core/errors.ts';
import type { Round, RoundResult, Store } from '../storage/store.ts';

/** The same store, whose rounds are refused, with nothing done, whenever `fails` says so. */
export function faultyStore(store: Store, fails: () => boolean): Store {
  const exchange = async (round: Round): Promise<RoundResult> => {
    if (fails()) throw new TaskHubError('UNAVAILABLE', 'simulated: the store is away');
    return store.exchange(round);
  };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'exchange') return exchange;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
