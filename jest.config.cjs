/** @type {import('jest').Config} */
module.exports = {
	testEnvironment: 'node',
	roots: ['<rootDir>/test'],
	testMatch: ['**/*.test.ts'],
	testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/e2e/', '<rootDir>/test/real-servers/'],
	transform: {
		'/n8n-workflow/dist/cjs/.+\\.js$': '<rootDir>/test/support/lazy-requires.cjs',
		'^.+\\.[jt]s$': [
			'@swc/jest',
			{ jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
		],
	},
	// eventsource-parser ships ES modules only; the build bundles it, jest has to translate it.
	transformIgnorePatterns: ['/node_modules/(?!eventsource-parser/|n8n-workflow/dist/cjs/)'],
	// So do these; they have a copy in the older form as well.
	moduleNameMapper: {
		'^(d3-(?:array|path|shape|time)|internmap)$': '<rootDir>/node_modules/$1/dist/$1.js',
		'^fast-check$': '<rootDir>/test/support/fast-check.ts',
	},
	// Half of the suites wait for simulated servers at any time, so that two cores have work for four.
	maxWorkers: 4,
	setupFiles: ['<rootDir>/test/support/jest-setup.ts'],
	setupFilesAfterEnv: ['<rootDir>/test/support/jest-forget.ts'],
	// The longest test takes seconds; a busy machine takes its time. More examples take longer (test/support/properties.ts).
	testTimeout: 120_000 * Number(process.env.PROPERTY_RUNS ?? 1),
};
