const base = require('./jest.config.cjs');

/** Tests against the real n8n and the real llama-server; `npm run test:e2e` prepares both. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	roots: ['<rootDir>/test/e2e'],
	testPathIgnorePatterns: ['/node_modules/'],
	maxWorkers: 1,
	// Starting n8n takes 6 s on two idle cores, and these may not be idle.
	testTimeout: 120_000,
};
