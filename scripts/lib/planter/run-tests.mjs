/** Runs test files with a planted bug, or to find out what they run. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { REPORTER } from '../checks/test-summary.mjs';
import { toolEnvironment } from '../system/dependencies.mjs';
import { readJsonIfThere, root } from '../system/paths.mjs';
import { onExit, startService } from '../system/processes.mjs';
import { createInputHash } from './test-inputs.mjs';

/** @typedef {import('./types').Bug} Bug */
/** @typedef {import('./types').TestFile} TestFile */
/** @typedef {import('../types').FileReport} FileReport */

const JEST = join(root, 'node_modules/.bin/jest');
const CONFIG = 'test/mutation/jest.config.cjs';
/** Processes that run tests. */
const WORKERS = 3;
const CACHE = join(root, 'node_modules/.cache/planter');

/**
 * @param {string[]} tests from the root
 * @param {{ env: Record<string, string>, limitMs?: number, args?: string[] }} options
 * @returns {Promise<FileReport[] | undefined>} nothing if the limit ended it
 */
const runJest = async (tests, { env, limitMs, args = [] }) => {
	const file = join(tmpdir(), `planter-${process.pid}-${Date.now()}.json`);
	const takeBack = onExit(() => rmSync(file, { force: true }));
	const workers = `--maxWorkers=${WORKERS}`;
	const all = ['--config', CONFIG, workers, ...args, `--reporters=${REPORTER}`, '--runTestsByPath'];
	const NODE_OPTIONS = '--disable-warning=ExperimentalWarning';
	const jest = startService('jest', JEST, [...all, ...tests], {
		cwd: root,
		env: { ...toolEnvironment(), NODE_OPTIONS, REPORT_FILE: file, ...env },
	});
	const timer =
		limitMs === undefined ? undefined : setTimeout(() => void jest.stop(1_000), limitMs);
	await jest.exited;
	clearTimeout(timer);
	/** @type {FileReport[] | undefined} */
	const reports = readJsonIfThere(file);
	rmSync(file, { force: true });
	takeBack();
	return reports;
};

/** @param {FileReport} report @returns {string[]} the tests that failed, with their file */
const failedOf = ({ name, status, assertionResults }) => {
	const file = relative(root, name);
	const failed = assertionResults.filter((test) => test.status === 'failed');
	// A file that cannot be loaded has no tests.
	if (status === 'failed' && failed.length === 0) return [file];
	return failed.map(({ fullName }) => `${file}, ${fullName}`);
};

/** @param {string} test from the root @returns {string} the name of its notes */
const toNoteName = (test) => `${test.replaceAll('/', '+')}.json`;

/**
 * Runs tests without a bug, and keeps a note of each.
 *
 * @param {string[]} tests from the root
 * @param {(test: string) => string} hashOf
 * @throws if they do not run
 */
const writeNotes = async (tests, hashOf) => {
	const folder = join(CACHE, 'running');
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	const reports = await runJest(tests, { env: { REGIONS_FOLDER: folder } });
	if (!reports) throw new Error('The tests did not run without a bug.');
	for (const report of reports) {
		const file = relative(root, report.name);
		/** @type {TestFile & { hash: string }} */
		const note = {
			file,
			hash: hashOf(file),
			seconds: (report.endTime - report.startTime) / 1000,
			ran: readJsonIfThere(join(folder, toNoteName(file))) ?? {},
			failed: failedOf(report),
		};
		writeFileSync(join(CACHE, toNoteName(file)), JSON.stringify(note));
	}
	rmSync(folder, { recursive: true });
};

/**
 * Runs each test once without a bug; again only if something that it uses has changed.
 *
 * @param {string[]} tests from the root
 * @returns {Promise<TestFile[]>}
 * @throws if they do not run
 */
export const noteRegions = async (tests) => {
	const hashOf = createInputHash();
	/** @param {string} test @returns {TestFile | undefined} what is known of it, if it uses the same as then */
	const readNote = (test) => {
		const note = readJsonIfThere(join(CACHE, toNoteName(test)));
		return note?.hash === hashOf(test) ? note : undefined;
	};
	const changed = tests.filter((test) => !readNote(test));
	if (changed.length > 0) await writeNotes(changed, hashOf);
	return tests.flatMap((test) => readNote(test) ?? []);
};

/**
 * @param {Bug} bug
 * @param {TestFile[]} tests in the order in which they are run
 * @param {{ limitMs: number, isComplete: boolean }} options `isComplete`: whether all are run, not only until one fails
 * @returns {Promise<{ seenBy: string[], isPartial: boolean }>} the tests that failed; whether some were not run
 */
export const runWithBug = async (bug, tests, { limitMs, isComplete }) => {
	const known = new Set(tests.flatMap(({ failed }) => failed));
	const endsAt = Date.now() + limitMs;
	const env = { PLANTED_BUG: JSON.stringify(bug) };
	/** @type {string[]} */
	const seenBy = [];
	const groups = toGroups(tests);
	// All of them would be ended in vain: the nearest ones say whether it is seen.
	const isTooLong = isComplete && needsLonger(tests, limitMs);
	for (const { tests: group, endsEarly } of isTooLong ? groups.slice(0, 1) : groups) {
		const isEndedEarly = endsEarly && !isComplete;
		const reports = await runJest(
			group.map(({ file }) => file),
			{ env, limitMs: Math.max(1, endsAt - Date.now()), args: isEndedEarly ? ['--bail'] : [] },
		);
		if (!reports) return { seenBy, isPartial: true };
		for (const name of reports.flatMap(failedOf)) if (!known.has(name)) seenBy.push(name);
		if (seenBy.length > 0 && !isComplete) return { seenBy, isPartial: true };
	}
	return { seenBy, isPartial: isTooLong };
};

/** @param {readonly TestFile[]} tests @param {number} limitMs @returns {boolean} by the time that they needed without a bug */
const needsLonger = (tests, limitMs) =>
	tests.reduce((sum, { seconds }) => sum + seconds, 0) * 1_000 > limitMs * WORKERS;

/** Seconds of the tests that are run first. */
const FIRST_SECONDS = 20;

/**
 * @param {TestFile[]} all in the order in which they are run
 * @returns {Array<{ tests: TestFile[], endsEarly: boolean }>} the first ones and the others, which end at the first failure; and
 *   files that fail without a bug, which would end a run before it says anything. Without empty groups
 */
export const toGroups = (all) => {
	const tests = all.filter(({ failed }) => failed.length === 0);
	let seconds = 0;
	const count = tests.findIndex((test) => (seconds += test.seconds) > FIRST_SECONDS) + 1;
	const end = count === 0 ? tests.length : count;
	return [
		{ tests: tests.slice(0, end), endsEarly: true },
		{ tests: tests.slice(end), endsEarly: true },
		{ tests: all.filter(({ failed }) => failed.length > 0), endsEarly: false },
	].filter((group) => group.tests.length > 0);
};
