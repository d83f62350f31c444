const path = require('node:path');
const base = require('../../jest.config.cjs');

const rootDir = path.resolve(__dirname, '../..');

/** What `npm run test:mutation` runs: the tests of `npm test`, with a planted bug or with marks. */
/** @type {import('jest').Config} */
module.exports = {
	...base,
	rootDir,
	transform: Object.fromEntries(
		Object.entries(base.transform).map(([pattern, [, options]]) => [
			pattern,
			['<rootDir>/scripts/lib/planter/transform.mjs', options],
		]),
	),
	setupFilesAfterEnv: [...base.setupFilesAfterEnv, '<rootDir>/test/mutation/note-regions.ts'],
	// A test that a bug makes wait in vain is found after this time. Without a bug, the longest one waits for 10 s in all.
	testEnvironmentOptions: { maxIdleMs: 25_000 },
};
