/**
 * `npm run test:mutation [-- source …]`: plants bugs that a refactoring leaves behind in `lib` and `nodes`, or in some files
 * or folders of them, one at a time, and runs the tests that run its place, the nearest first. The list of those that no
 * test sees is written to `reports/planted.md`. Exit status 1 if tests see fewer than 80 %.
 *
 * `--count 40` and `--seed 1` choose the bugs, `--limit 120` the seconds for the tests of a bug. `--complete` runs all tests of a
 * bug, not only until one fails, and also lists tests that were never the only one to see a bug; a bug whose tests need longer
 * than the limit has only its nearest ones run, and does not count for that list.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { nearestTests } from './lib/checks/nearest-tests.mjs';
import { findRelatedTests } from './lib/checks/test-summary.mjs';
import { chooseBugs } from './lib/planter/choose-bugs.mjs';
import { describeOutcomes, judge } from './lib/planter/describe-outcomes.mjs';
import { findRegionOf, findRegions } from './lib/planter/regions.mjs';
import { noteRegions, runWithBug } from './lib/planter/run-tests.mjs';
import { ensureDependencies } from './lib/system/dependencies.mjs';
import { createLog } from './lib/system/log.mjs';
import { filesBelow, root } from './lib/system/paths.mjs';
import { main } from './lib/system/script-main.mjs';

/** @typedef {import('./lib/planter/types').Bug} Bug */
/** @typedef {import('./lib/planter/types').Outcome} Outcome */
/** @typedef {import('./lib/planter/types').TestFile} TestFile */

const REPORT = join(root, 'reports/planted.md');
const MIN_SHARE = 0.8;

const log = createLog();

/** @param {string} file @returns {string} */
const read = (file) => readFileSync(join(root, file), 'utf8');

/**
 * @param {Bug} bug
 * @param {TestFile[]} tests
 * @returns {TestFile[]} those that run its place: the nearest first, then the others, the quickest first
 */
const selectTests = (bug, tests) => {
	const region = findRegionOf(findRegions(read(bug.file)), bug);
	const reached = tests
		.filter(
			({ ran: { [bug.file]: regions } }) => regions && (region < 0 || regions.includes(region)),
		)
		.sort((a, b) => a.seconds - b.seconds);
	const nearest = new Set(
		nearestTests(
			bug.file,
			reached.map(({ file }) => file),
		),
	);
	return [
		...reached.filter(({ file }) => nearest.has(file)),
		...reached.filter(({ file }) => !nearest.has(file)),
	];
};

/**
 * @param {Bug} bug
 * @param {TestFile[]} tests
 * @param {{ limitMs: number, isComplete: boolean }} options
 * @returns {Promise<Outcome>}
 */
const tryBug = async (bug, tests, options) => {
	const reached = selectTests(bug, tests);
	const result =
		reached.length === 0
			? { seenBy: [], isPartial: false }
			: await runWithBug(bug, reached, options);
	return { bug, reached: reached.length, ...result };
};

await main(async () => {
	const { values, positionals } = parseArgs({
		options: {
			seed: { type: 'string', default: '1' },
			count: { type: 'string', default: '40' },
			limit: { type: 'string', default: '120' },
			complete: { type: 'boolean', default: false },
		},
		allowPositionals: true,
	});
	await ensureDependencies(log);
	const sources = positionals.length > 0 ? positionals : ['lib', 'nodes'];
	const files = sources
		.flatMap((source) => filesBelow(join(root, source)))
		.map((file) => file.slice(root.length + 1))
		.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
	const sample = { seed: Number(values.seed), count: Number(values.count) };
	const tests = await log.step('what the tests run', async () =>
		noteRegions(await findRelatedTests(sources)),
	);
	const options = { limitMs: Number(values.limit) * 1_000, isComplete: values.complete };
	/** @type {Outcome[]} */
	const outcomes = [];
	mkdirSync(dirname(REPORT), { recursive: true });
	for (const bug of chooseBugs(files, sample)) {
		const outcome = await tryBug(bug, tests, options);
		outcomes.push(outcome);
		const [first = ''] = outcome.seenBy;
		log.line(`  ${judge(outcome)}: ${bug.file}:${bug.line}, ${bug.kind} ${first}`.trimEnd());
		// After each bug, so that a run that is ended early leaves a list.
		writeFileSync(REPORT, describeOutcomes(outcomes, read));
	}
	const seen = outcomes.filter((outcome) => judge(outcome) === 'seen').length;
	log.line(`${seen} of ${outcomes.length} planted bugs were seen: ${REPORT}`);
	return seen < MIN_SHARE * outcomes.length ? 1 : 0;
});
