const base = require('./jest.config.cjs');

/** Suites about llama-server, which run on both versions of llama.cpp (scripts/test-e2e.mjs). */
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
	// One suite at a time leaves half of two cores idle.
	maxWorkers: 2,
	testEnvironment: '<rootDir>/test/e2e/support/environment.cjs',
	// Starting n8n takes 6 s on two idle cores, a suite one minute. Waits inside a test time out earlier, with a better message.
	testTimeout: 900_000,
};
