/**
 * The lint of tests. They run in Node and are never shipped, so they may import what n8n's rules forbid a node: built-in
 * modules and timers. ESLint finds this file with the flag that `npm run lint` sets.
 */
import js from '@eslint/js';
import jest from 'eslint-plugin-jest';
import typescript from 'typescript-eslint';

export default typescript.config(
	{
		files: ['**/*.ts'],
		extends: [js.configs.recommended, typescript.configs.recommended],
		// TypeScript finds unused names (noUnusedLocals).
		rules: { 'no-console': 'error', '@typescript-eslint/no-unused-vars': 'off' },
	},
	{
		files: ['**/*.test.ts'],
		extends: [jest.configs['flat/recommended']],
		rules: {
			'jest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*', '*.expect*'] }],
			// The rows of a table say what is expected of each.
			'jest/no-conditional-expect': 'off',
			// Suites that share an n8n check its start in `beforeAll`.
			'jest/no-standalone-expect': 'off',
		},
	},
);
