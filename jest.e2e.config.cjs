const base = require('./jest.config.cjs');

/** The gate: tests in the real n8n, which `npm run test:e2e` prepares and starts. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	roots: ['<rootDir>/test/e2e'],
	testPathIgnorePatterns: ['/node_modules/'],
	// One suite at a time leaves half of two cores idle.
	maxWorkers: 2,
	testEnvironment: '<rootDir>/test/e2e/support/environment.cjs',
	// Waits inside a test time out earlier, with a better message.
	testTimeout: 900_000,
};
