const path = require('node:path');
const base = require('../../jest.config.cjs');

/** The gate: tests in the real n8n, which `npm run test:e2e` prepares and starts. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	rootDir: path.resolve(__dirname, '../..'),
	roots: ['<rootDir>/test/e2e'],
	testPathIgnorePatterns: ['/node_modules/'],
	// Suites wait for n8n and the browser most of the time: two at a time leave a third of two cores idle.
	maxWorkers: 3,
	testEnvironment: '<rootDir>/test/e2e/support/environment.cjs',
	// Waits inside a test time out earlier, with a better message.
	testTimeout: 900_000,
};
