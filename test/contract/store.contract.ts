/**
 * What every store must do, whatever the database behind it. A driver's test file calls this with a function
 * that opens an empty store.
 */
import { batchesContract } from './store/batches.contract.ts';
import { Bench, type OpenForContract } from './store/bench.ts';
import { childrenContract } from './store/children.contract.ts';
import { continueAsNewContract } from './store/continue-as-new.contract.ts';
import { entitiesContract } from './store/entities.contract.ts';
import { entityModelContract } from './store/entity-model.contract.ts';
import { dispatchContract } from './store/dispatch.contract.ts';
import { hubsContract } from './store/hubs.contract.ts';
import { inboxContract } from './store/inbox.contract.ts';
import { inspectionContract } from './store/inspection.contract.ts';
import { leasesContract } from './store/leases.contract.ts';
import { queueTotalsContract } from './store/queue-totals.contract.ts';
import { readsContract } from './store/reads.contract.ts';
import { managementContract } from './store/management.contract.ts';
import { lawsContract } from './store/laws.contract.ts';
import { parkedContract } from './store/parked.contract.ts';
import { rewindContract } from './store/rewind.contract.ts';
import { rolesContract } from './store/roles.contract.ts';
import { roomsContract } from './store/rooms.contract.ts';
import { startContract } from './store/start.contract.ts';
import { timersContract } from './store/timers.contract.ts';
import { upkeepContract } from './store/upkeep.contract.ts';
import { modelContract } from './store/model.contract.ts';

export function storeContract(name: string, open: OpenForContract): void {
  describe(`store contract, ${name}`, () => {
    let bench: Bench | undefined;
    const use = (): Bench => {
      if (!bench) throw new Error('no store is open outside a test');
      return bench;
    };
    beforeEach(async () => {
      bench = await Bench.open(open);
    });
    afterEach(async () => {
      await bench?.close();
      bench = undefined;
    });
    startContract(use);
    rolesContract(use);
    inboxContract(use);
    leasesContract(use);
    dispatchContract(use);
    timersContract(use);
    childrenContract(use);
    continueAsNewContract(use);
    batchesContract(use);
    hubsContract(use);
    upkeepContract(use);
    readsContract(use);
    inspectionContract(use);
    parkedContract(use);
    queueTotalsContract(use);
    rewindContract(use);
    managementContract(use);
    roomsContract(use);
    lawsContract(use);
    entitiesContract(use);
    entityModelContract(use);
    modelContract(use);
  });
}
