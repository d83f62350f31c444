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

/** Suites that fail beside others: n8n's workers lose their locks in Redis where the machine is busy for too long. */
const ALONE = ['queue-mode-at-scale'];

const filesOf = (suites) => suites.map((suite) => `<rootDir>/test/e2e/${suite}.test.ts`);

/** Which suites run, by `LOCAL_LLAMA_SUITES` of scripts/test-e2e.mjs. */
const SELECTIONS = {
	together: { testPathIgnorePatterns: ['/node_modules/', ...filesOf(ALONE)] },
	alone: { testMatch: filesOf(ALONE) },
	'on both': { testMatch: filesOf(ON_BOTH) },
};

/** Tests against the real n8n and the real llama-server; `npm run test:e2e` prepares both. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	roots: ['<rootDir>/test/e2e'],
	testPathIgnorePatterns: ['/node_modules/'],
	...SELECTIONS[process.env.LOCAL_LLAMA_SUITES],
	// One suite at a time leaves half of two cores idle.
	maxWorkers: 2,
	testEnvironment: '<rootDir>/test/e2e/support/environment.cjs',
	// Starting n8n takes 6 s on two idle cores, a suite one minute. Waits inside a test time out earlier, with a better message.
	testTimeout: 900_000,
};
