const base = require('./jest.config.cjs');

/** The suites that talk with the real llama-server most: they run on both versions of llama.cpp (scripts/test-e2e.mjs). */
const ON_BOTH = [
	'kept-answers',
	'local-chat-model',
	'local-llama',
	'real-embeddings',
	'server-health',
	'speed-test',
	'thinking-limit',
];

/** Tests against the real n8n and the real llama-server; `npm run test:e2e` prepares both. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	roots: ['<rootDir>/test/e2e'],
	testPathIgnorePatterns: ['/node_modules/'],
	...(process.env.LOCAL_LLAMA_SERVER === 'wheel'
		? { testMatch: ON_BOTH.map((suite) => `<rootDir>/test/e2e/${suite}.test.ts`) }
		: {}),
	maxWorkers: 1,
	testEnvironment: '<rootDir>/test/e2e/support/environment.cjs',
	// Starting n8n takes 6 s on two idle cores, a suite one minute. Who waits for a part of it gives up earlier, and says for what it waited.
	testTimeout: 900_000,
};
