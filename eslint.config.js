import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Clocks, ids and configuration come in as arguments; these are the names that would let them leak in. */
const impureGlobals = [
  { name: 'setTimeout', message: 'Take a Clock (base/clock.ts).' },
  { name: 'setInterval', message: 'Take a Clock (base/clock.ts).' },
  { name: 'setImmediate', message: 'Use nextLoop() (base/yield.ts).' },
  { name: 'crypto', message: 'Take an IdSource (base/ids.ts).' },
  { name: 'console', message: 'Take a Logger (telemetry/logger.ts) or an output function.' },
];
const impureProperties = [
  { object: 'Date', property: 'now', message: 'Take a Clock (base/clock.ts).' },
  { object: 'performance', property: 'now', message: 'Take a Clock (base/clock.ts).' },
  { object: 'Math', property: 'random', message: 'Take an IdSource (base/ids.ts).' },
  {
    object: 'process',
    property: 'env',
    message: 'Only the composition roots read the environment.',
  },
];
const namedExports = { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' };
const sizes = (lines, functionLines) => ({
  'max-lines': ['error', { max: lines, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': [
    'error',
    { max: functionLines, skipBlankLines: true, skipComments: true },
  ],
});

export default defineConfig(
  {
    ignores: [
      'dist',
      'coverage',
      'src/proto',
      'test/fixtures',
      'test/e2e/apps',
      'samples',
      '.durabletask',
      '.tmp',
    ],
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      'no-restricted-syntax': ['error', namedExports],
      eqeqeq: 'error',
      'max-depth': ['error', 3],
      complexity: ['error', 15],
      ...sizes(400, 60),
    },
  },
  {
    files: ['src/**/*.ts'],
    // The dashboard runs in a browser: its clock and timers are the page's own.
    ignores: ['src/base/**', 'src/cli/**', 'src/dashboard/**', 'src/devhost/child*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': ['error', ...impureProperties],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        namedExports,
        {
          selector:
            'CallExpression[callee.property.name=/^(debug|info|warn|error)$/][callee.object.name=/ogger$/], ' +
            'CallExpression[callee.property.name=/^(debug|info|warn|error)$/][callee.object.property.name=/ogger$/]',
          message: 'Log with logEvent(): every line has its place in src/telemetry/log-events.ts.',
        },
      ],
    },
  },
  {
    files: ['src/core/**/*.ts', 'src/replay/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...impureGlobals,
        { name: 'process', message: 'Pure room.' },
      ],
      ...sizes(400, 60),
    },
  },
  {
    files: ['src/dashboard/**/*.tsx'],
    rules: {
      // A component is mostly markup, one element a line; links and handlers name their effect in place.
      ...sizes(400, 110),
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A describe block is one long function by nature.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
    },
  },
);
