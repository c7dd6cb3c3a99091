import assert from 'node:assert/strict';
import { BUILT_IN_ROLES, parseRole, ROLES } from '../../src/core/roles.ts';

describe('role', () => {
  it('is known by its short name, the product’s name and the product’s id', () => {
    for (const role of ROLES) {
      const { name, id } = BUILT_IN_ROLES[role];
      for (const text of [role, ` ${role.toUpperCase()} `, name, name.toUpperCase(), id]) {
        assert.equal(parseRole(text), role, text);
      }
    }
  });

  it('is none when nobody has heard of it', () => {
    assert.equal(parseRole('owner'), undefined);
    assert.equal(parseRole(''), undefined);
  });
});
