import assert from 'node:assert/strict';
import type { StoredRoleAssignment } from '../../../src/storage/role-store.ts';
import type { UseBench } from './bench.ts';

function assignment(changes: Partial<StoredRoleAssignment>): StoredRoleAssignment {
  return {
    id: 'id-1',
    role: 'reader',
    issuer: 'https://issuer',
    assigneeType: 'group',
    assignee: 'g',
    taskHub: 'default',
    createdAt: 7,
    createdBy: 'admin',
    ...changes,
  };
}

export function rolesContract(use: UseBench): void {
  describe('role assignments', () => {
    it('are listed as they were made, oldest first, also after the store was opened again', async () => {
      const bench = use();
      const second = assignment({
        id: 'a',
        createdAt: 8,
        taskHub: undefined,
        createdBy: undefined,
      });
      await bench.store.roles.create(second);
      const first = await bench.store.roles.create(assignment({}));

      await bench.reopen();

      assert.deepEqual(first, assignment({}));
      assert.deepEqual(await bench.store.roles.list(), [first, second]);
    });

    it('that grant the same are one', async () => {
      const { roles } = use().store;
      await roles.create(assignment({}));

      assert.deepEqual(
        await roles.create(assignment({ id: 'id-2', createdAt: 9 })),
        assignment({}),
      );
      await roles.create(assignment({ id: 'id-3', role: 'worker' }));
      assert.equal((await roles.list()).length, 2);
    });

    it('are taken away once', async () => {
      const { roles } = use().store;
      await roles.create(assignment({}));

      assert.equal(await roles.delete('id-1'), true);
      assert.equal(await roles.delete('id-1'), false);
      assert.deepEqual(await roles.list(), []);
    });

    it('are refused on a hub that does not exist', async () => {
      await assert.rejects(use().store.roles.create(assignment({ taskHub: 'nope' })), {
        code: 'TASK_HUB_NOT_FOUND',
      });
    });

    it('stay when their hub is recreated and go when it is deleted', async () => {
      const bench = use();
      const { roles } = bench.store;
      await roles.create(assignment({}));
      await roles.create(assignment({ id: 'id-2', taskHub: undefined }));

      await bench.apply({ kind: 'createHub', hub: 'default', recreate: true });
      assert.equal((await roles.list()).length, 2);
      await bench.apply({ kind: 'deleteHub', hub: 'default' });

      assert.deepEqual(
        (await roles.list()).map(({ id }) => id),
        ['id-2'],
      );
    });
  });
}
