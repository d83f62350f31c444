const { devDependencies } = require('./package.json');

// `npm test` installs the pinned Node, and uses it.
if (parseInt(process.versions.node) < parseInt(devDependencies.node)) {
	const message = `Tests do not run on Node ${process.versions.node}: use npm test -- <file>`;
	throw Object.assign(new Error(message), { stack: message });
}

// No zone of a server, and not of whole hours: a time that is read or written in local time by mistake is wrong at once.
process.env.TZ = 'Asia/Kathmandu';

/** @type {import('jest').Config} */
module.exports = {
	testEnvironment: '<rootDir>/test/support/jest/jest-environment.cjs',
	// The sources too, so that --findRelatedTests, --onlyChanged and --watch know them.
	roots: ['credentials', 'lib', 'nodes', 'test'].map((name) => `<rootDir>/${name}`),
	testMatch: ['**/*.test.ts'],
	testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(e2e|full|real-servers)/'],
	transform: {
		'^.+\\.[jt]s$': [
			'@swc/jest',
			{ jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
		],
	},
	// eventsource-parser ships ES modules only: jest has to compile it.
	transformIgnorePatterns: ['/node_modules/(?!eventsource-parser/)'],
	// These ship ES modules, with a CommonJS copy.
	moduleNameMapper: {
		'^(d3-(?:array|path|shape)|internmap)$': '<rootDir>/node_modules/$1/dist/$1.js',
		'^fast-check$': '<rootDir>/test/support/jest/fast-check.ts',
		'^n8n-workflow$': '<rootDir>/test/support/jest/n8n-workflow.cjs',
	},
	// Many suites wait for simulated servers, so three workers keep two cores busy.
	maxWorkers: 3,
	// A worker ends by itself. On a busy machine the system takes longer than Jest's half a second to free its memory.
	workerGracefulExitTimeout: 20_000,
	setupFiles: ['<rootDir>/test/support/jest/jest-setup.ts'],
	setupFilesAfterEnv: [
		'<rootDir>/test/support/jest/error-texts.ts',
		// `RECORD_ADVICE=advice.jsonl npm test` lists every suggestion of an error, with the facts that were known.
		...(process.env.RECORD_ADVICE ? ['<rootDir>/test/support/jest/record-advice.ts'] : []),
		'<rootDir>/test/support/jest/jest-clear-caches.ts',
		'<rootDir>/test/support/jest/jest-requests.ts',
	],
	...(process.env.RECORD_ADVICE && {
		globalTeardown: '<rootDir>/test/support/jest/advice-list.cjs',
	}),
	// For what never ends. A test that waits in vain fails earlier (test/support/jest/jest-environment.cjs).
	testTimeout: 600_000 * Number(process.env.PROPERTY_RUNS ?? 1),
};
