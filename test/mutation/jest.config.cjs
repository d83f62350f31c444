const path = require('node:path');
const base = require('../../jest.config.cjs');

const rootDir = path.resolve(__dirname, '../..');

/** The tests that `npm run test:mutation` names: those nearest to the mutated file. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	rootDir,
	// Stryker resolves it without replacing `<rootDir>`.
	testEnvironment: path.join(rootDir, 'test/support/jest/jest-environment.cjs'),
	// A planted bug that makes a test wait forever is found after this time, without a new process.
	testTimeout: 5_000,
	testMatch: JSON.parse(process.env.MUTATION_TESTS ?? '[]').map((file) => `<rootDir>/${file}`),
};
