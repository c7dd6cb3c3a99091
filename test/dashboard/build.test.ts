import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../../dist/dashboard/', import.meta.url);
const sizeOf = (path: string) => gzipSync(readFileSync(new URL(path, dist))).length;

describe('dashboard build', () => {
  it('loads its first page within 70 KB and all of it within 150 KB, compressed', () => {
    const html = readFileSync(new URL('index.html', dist), 'utf8');
    const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path]) => path!);
    assert.ok(first.length >= 2, 'a script and a style sheet');
    const sum = (paths: readonly string[]) => paths.reduce((all, path) => all + sizeOf(path), 0);
    assert.ok(sum(['index.html', ...first]) < 70_000);
    const all = readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`);
    assert.ok(sum(['index.html', ...all]) < 150_000);
  });

  it('names nothing from elsewhere', () => {
    const html = readFileSync(new URL('index.html', dist), 'utf8');
    assert.doesNotMatch(html, /(?:src|href)="(?!\/assets\/)/);
    assert.doesNotMatch(html, /<script(?![^>]*src=)|style=/);
  });
});
