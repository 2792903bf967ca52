/*
 * Type-checked lint, and the arrows of the architecture: commands → views → wording, python → tracking → execution ←
 * embedded, google, service, runner. Only the editor's own rooms import vscode. Import cycles are found with the dead code (knip).
 */
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What each room of src/ may import besides itself. `execution` is everybody's; extension.ts, the composition root, may import all. */
const ARROWS = {
  execution: [],
  system: [],
  notebook: ['execution'],
  protocol: ['execution', 'system'],
  // What a run leaves on disk: the runner writes it, and the service completes it where the runner was killed.
  recording: ['execution', 'system', 'notebook', 'protocol'],
  // Three processes, or sides, that speak with each other by HTTP, sockets and files: what they share is in protocol.
  embedded: ['execution', 'system', 'notebook', 'protocol'],
  runner: ['execution', 'system', 'notebook', 'protocol', 'recording'],
  service: ['execution', 'system', 'notebook', 'protocol', 'recording'],
  google: ['execution', 'notebook'],
  report: ['execution', 'notebook', 'recording'],
  tracking: ['execution', 'notebook'],
  wording: ['execution', 'system', 'notebook', 'tracking'],
  python: ['execution', 'system', 'notebook', 'tracking', 'wording'],
  views: ['execution', 'notebook', 'tracking', 'wording', 'python'],
  commands: ['execution', 'system', 'notebook', 'tracking', 'wording', 'python', 'views', 'report'],
  backends: ['execution', 'embedded', 'google', 'tracking'],
};
/** Syntax that no file uses; the rooms add their arrows to it. */
const RESTRICTED_SYNTAX = [
  { selector: 'PrivateIdentifier', message: 'Write `private name`, as everywhere.' },
];
const EDITOR_ROOMS = ['wording', 'python', 'views', 'commands'];

function arrowsOf(room, allowed) {
  const forbidden = [...Object.keys(ARROWS), 'extension'].filter(
    (other) => other !== room && !allowed.includes(other),
  );
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...RESTRICTED_SYNTAX,
        {
          selector: "ImportDeclaration[source.value='zod/mini'] > ImportSpecifier",
          message: "Import it as a namespace (import * as z): esbuild keeps all of zod's locales for `z`.",
        },
        {
          selector: `ImportExpression[source.value=/^(?:\\.\\.\\u002F)+(?:${forbidden.join('|')})(?:\\u002F|$)/]`,
          message: `src/${room} may import ${allowed.length > 0 ? allowed.join(', ') : 'no other room'}.`,
        },
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'zod', message: "Import 'zod/mini': the whole of zod is 30 times its size." },
            ...(EDITOR_ROOMS.includes(room)
              ? []
              : [{ name: 'vscode', message: `src/${room} runs without an editor; hand in what it needs.` }]),
          ],
          patterns: [
            {
              regex: `^(?:\\.\\./)+(?:${forbidden.join('|')})(?:/|$)`,
              message: `src/${room} may import ${allowed.length > 0 ? allowed.join(', ') : 'no other room'}.`,
            },
          ],
        },
      ],
    },
  };
}

export default defineConfig(
  { ignores: ['dist/', 'out/', '.venv/', '.vscode-test/', '.cache/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      // Braces exactly where the body takes more than one line.
      curly: ['error', 'multi-or-nest', 'consistent'],
      'no-restricted-syntax': ['error', ...RESTRICTED_SYNTAX],
      '@typescript-eslint/no-floating-promises': ['error', { checkThenables: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Overflows its stack on recursive types with a class in them, such as JsonValue (typescript-eslint 8.73).
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  ...Object.entries(ARROWS).map(([room, allowed]) => arrowsOf(room, allowed)),
  {
    files: ['test/**/*.ts'],
    ignores: ['test/host/**', 'test/bench/explorer/floor.main.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'vscode', message: 'Only tests in the extension host (test/host) have an editor.' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: { console: 'readonly', process: 'readonly', fetch: 'readonly', URL: 'readonly' },
    },
  },
);
