import assert from 'node:assert/strict';
import fc from 'fast-check';
import { matchRoute, parseRoute } from '../../src/devhost/route-template.ts';

const match = (route: string, path: string): Readonly<Record<string, string>> | undefined =>
  matchRoute(parseRoute(route), path === '' ? [] : path.split('/'));

describe('route template', () => {
  it('matches literals whatever their case', () => {
    assert.deepEqual(match('a/B', 'A/b'), {});
    assert.equal(match('a/b', 'a'), undefined);
    assert.equal(match('a/b', 'a/b/c'), undefined);
    assert.equal(match('a.b', 'axb'), undefined);
  });

  it('gives an optional parameter that is absent as empty text', () => {
    assert.deepEqual(match('p/{id:int?}', 'p/5'), { id: '5' });
    assert.deepEqual(match('p/{id:int?}', 'p'), { id: '' });
    assert.equal(match('p/{id:int?}', 'p/x'), undefined);
    assert.equal(match('p/{id}', 'p'), undefined);
  });

  it('gives a parameter with a default when the path lacks it', () => {
    assert.deepEqual(match('{lang=en}/{page=home}', 'de'), { lang: 'de', page: 'home' });
    assert.deepEqual(match('{lang=en}/{page=home}', ''), { lang: 'en', page: 'home' });
  });

  it('gives the rest of the path to a catch-all parameter', () => {
    assert.deepEqual(match('f/{*rest}', 'f/a/b'), { rest: 'a/b' });
    assert.deepEqual(match('f/{**rest}', 'f'), { rest: '' });
    assert.deepEqual(match('f/{*rest=all}', 'f'), { rest: 'all' });
    assert.equal(match('f/{*rest:int}', 'f/x'), undefined);
  });

  it('takes several parts in one segment', () => {
    assert.deepEqual(match('v{major:int}.{minor:int}', 'v1.22'), { major: '1', minor: '22' });
    assert.deepEqual(match('{name}.{ext?}', 'file.txt'), { name: 'file', ext: 'txt' });
    assert.deepEqual(match('{name}.{ext?}', 'a.b.txt'), { name: 'a.b', ext: 'txt' });
    assert.deepEqual(match('{name}.{ext?}', 'file'), { name: 'file', ext: '' });
    assert.equal(match('v{major:int}', 'w1'), undefined);
  });

  const constraints: readonly [string, readonly string[], readonly string[]][] = [
    ['alpha', ['ab', 'Z'], ['a1']],
    ['bool', ['true', 'FALSE'], ['yes']],
    ['datetime', ['2026-01-01', '2026-01-01T10:00:00Z'], ['soon']],
    ['decimal', ['1', '-1.5'], ['1e3', 'x']],
    ['double', ['1', '-1.5e3'], ['x']],
    ['float', ['.5'], ['x']],
    ['guid', ['7b9c1f4e-1111-4222-8333-444455556666'], ['7b9c1f4e']],
    ['int', ['1', '-2147483648'], ['2147483648', '1.5', 'x']],
    ['long', ['9223372036854775807'], ['9223372036854775808']],
    ['length(2)', ['ab'], ['a', 'abc']],
    ['length(1,2)', ['a', 'ab'], ['abc']],
    ['minlength(2)', ['ab', 'abc'], ['a']],
    ['maxlength(2)', ['a'], ['abc']],
    ['min(5)', ['5', '6'], ['4', 'x']],
    ['max(5)', ['5', '-6'], ['6', 'x']],
    ['range(1,5)', ['1', '5'], ['0', '6', 'x']],
    ['regex(^\\d{{3}}-(a|b)$)', ['123-a'], ['12-a', '123-c']],
    ['required', ['a'], []],
    ['int:min(2):max(3)', ['2', '3'], ['1', '4']],
  ];
  for (const [constraint, good, bad] of constraints) {
    it(`holds a parameter to ${constraint}`, () => {
      const route = `p/{id:${constraint}}`;
      for (const each of good) assert.deepEqual(match(route, `p/${each}`), { id: each }, each);
      for (const each of bad) assert.equal(match(route, `p/${each}`), undefined, each);
    });
  }

  const malformed: readonly [string, RegExp][] = [
    ['a/{b', /unmatched brace/],
    ['a//b', /empty segment/],
    ['{a}/{A}', /'a' appears more than one time/],
    ['{*a}/b', /only appear as the last segment/],
    ['x{*a}', /catch-all parameter cannot have more/],
    ['{a:nothing}', /constraint 'nothing' of the route cannot be resolved/],
    ['{a:min(x)}', /constraint 'min\(x\)'/],
    ['{a?b}', /'\{a\?b\}' is invalid at '\?b'/],
    ['{}', /parameter name '' is invalid/],
  ];
  for (const [route, message] of malformed) {
    it(`is refused as "${route}"`, () => {
      assert.throws(() => parseRoute(route), message);
    });
  }

  it('ranks literals before constrained parameters before parameters before catch-alls', () => {
    const routes = ['a/{*b}', 'a/{b}', 'a/{b:int}', 'a/b', '{a}/b'];
    const ranked = routes.toSorted((x, y) =>
      parseRoute(x).precedence.localeCompare(parseRoute(y).precedence),
    );
    assert.deepEqual(ranked, ['a/b', 'a/{b:int}', 'a/{b}', 'a/{*b}', '{a}/b']);
  });

  it('gives back the values that a path was made of', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'));
    fc.assert(
      fc.property(value, value, (a, b) => {
        assert.deepEqual(matchRoute(parseRoute('x/{a}/{b?}'), ['x', a, b]), { a, b });
      }),
    );
  });
});
