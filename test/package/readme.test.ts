/** The README's code, run as a reader would run it: from the packed package, in an empty project. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { installPacked, startCommand, type Installed } from './support/installed.ts';

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

/** Code of the block of this language that contains the text. */
function block(language: string, text: string): string {
  const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  const found = blocks.find(([, lang, code]) => lang === language && code?.includes(text));
  assert.ok(found?.[2], `the README has no ${language} block with ${text}`);
  return found[2];
}

describe('README', () => {
  let project: Installed;

  before(() => {
    project = installPacked('readme');
  });

  after(() => {
    project.remove();
  });

  it('has samples that compile against the package', () => {
    const files = {
      'functions.ts': block('ts', 'df.app.orchestration').replaceAll(
        "'durable-functions'",
        "'durabletask-scheduler'",
      ),
      'worker.mts': block('ts', 'TaskHubWorker'),
      'testing.mts': block('ts', 'TestHub'),
    };
    for (const [name, code] of Object.entries(files)) writeFileSync(join(project.dir, name), code);
    const program = ts.createProgram(
      Object.keys(files).map((name) => join(project.dir, name)),
      {
        noEmit: true,
        strict: true,
        skipLibCheck: true,
        module: ts.ModuleKind.NodeNext,
        target: ts.ScriptTarget.ES2023,
        types: [],
        typeRoots: [],
      },
    );
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
      .filter((text) => !/'console'|'node:assert/.test(text));
    assert.deepEqual(problems, []);
  });

  it('has a worker sample that prints its greeting', async () => {
    const scheduler = await startCommand(project, ['start', '--storage', 'memory']);
    try {
      const code = block('ts', 'TaskHubWorker').replace(
        'http://localhost:8080',
        scheduler.ready.grpc,
      );
      writeFileSync(
        join(project.dir, 'worker.mts'),
        `${code}\nawait worker.stop();\nawait client.close();\n`,
      );
      assert.equal(project.run('worker.mts'), '"Hello Tokyo!"');
    } finally {
      await scheduler.stop();
    }
  });

  it('has a sample of tests that passes', () => {
    writeFileSync(join(project.dir, 'testing.mts'), block('ts', 'TestHub'));
    assert.equal(project.run('testing.mts'), '');
  });

  it('has a Functions sample that runs with its host.json under durabletask dev', async () => {
    const app = join(project.dir, 'app');
    mkdirSync(app, { recursive: true });
    const code = ts.transpileModule(block('ts', 'df.app.orchestration'), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
    }).outputText;
    writeFileSync(join(app, 'index.js'), code);
    writeFileSync(join(app, 'package.json'), JSON.stringify({ main: 'index.js' }));
    writeFileSync(join(app, 'host.json'), block('json', '"durableTask"'));
    const dev = await startCommand(project, ['dev', 'app', '--storage', 'memory']);
    try {
      const started = await fetch(`${dev.ready.functions}/api/start/HelloCities`, {
        method: 'POST',
      });
      const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string };
      const output = await outputOf(statusQueryGetUri);
      assert.deepEqual(output, ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!']);
    } finally {
      await dev.stop();
    }
  });
});

async function outputOf(url: string): Promise<unknown> {
  for (;;) {
    const response = await fetch(url);
    const { output } = (await response.json()) as { output: unknown };
    if (response.status !== 202) return output;
  }
}
