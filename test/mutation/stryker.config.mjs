/** One run of `npm run test:mutation`, which names the file to mutate and its tests. */
/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
	testRunner: 'jest',
	jest: {
		projectType: 'custom',
		configFile: 'test/mutation/jest.config.cjs',
		enableFindRelatedTests: false,
	},
	coverageAnalysis: 'perTest',
	// Texts for people are compared by the tests of texts.
	mutator: { excludedMutations: ['StringLiteral'] },
	// Mutants that need a new start of all tests.
	ignoreStatic: true,
	concurrency: 2,
	dryRunTimeoutMinutes: 30,
	timeoutMS: 20_000,
	reporters: ['json', 'clear-text'],
	clearTextReporter: {
		allowColor: false,
		logTests: false,
		reportTests: false,
		reportScoreTable: false,
	},
	ignorePatterns: ['dist', 'reports', 'bench', 'docs', 'coverage', 'test/e2e', 'test/full'],
};
