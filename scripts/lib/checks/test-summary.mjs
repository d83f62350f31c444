/** Runs checks and jest, and counts passed, failed and skipped tests. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { toolEnvironment } from '../system/dependencies.mjs';
import { formatDuration } from '../system/log.mjs';
import { filesBelow, readJsonIfThere, root } from '../system/paths.mjs';
import { CommandError, onExit, run } from '../system/processes.mjs';

/** @typedef {import('../types').Tally} Tally */
/** @typedef {import('../types').FileReport} FileReport */

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {(progress: import('../types').Progress) => Promise<Tally | void>} check
 * @property {boolean} [counts] `false`: a preparation, which is counted only if it fails
 */

/** @returns {Tally} */
export const emptyTally = () => ({ passed: 0, failures: [], skipped: [] });

/**
 * @param {string} name
 * @param {string | null} [message]
 * @returns {string} one line
 */
const failureLine = (name, message) => {
	const text = stripVTControlCharacters(message ?? '').replace(/\n\s+at .*/g, '');
	const line = text.replace(/\s+/g, ' ').trim();
	return line === '' ? name : `${name}: ${line.slice(0, 600)}`;
};

/**
 * @param {Tally} tally
 * @returns {string} the line that ends a test run
 */
export const closingLine = ({ passed, failures, skipped }) =>
	`${passed} passed, ${failures.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;

/**
 * @param {FileReport[]} reports
 * @returns {Tally}
 */
export const tallyOfJest = (reports) => {
	const tally = emptyTally();
	for (const { name, status, message, assertionResults } of reports) {
		const file = relative(root, name);
		const failed = assertionResults.filter((test) => test.status === 'failed');
		for (const { fullName, failureMessages } of failed)
			tally.failures.push(failureLine(`${file}, ${fullName}`, failureMessages?.[0]));
		// A test file that fails to load has no tests, and a failing `afterAll` fails none.
		if (status === 'failed' && failed.length === 0) tally.failures.push(failureLine(file, message));
		const passed = assertionResults.filter((test) => test.status === 'passed');
		const skipped = assertionResults.filter((test) => !/passed|failed/.test(test.status));
		tally.passed += passed.length;
		tally.skipped.push(...skipped.map(({ fullName }) => fullName));
	}
	return tally;
};

/** Writes what {@link FileReport} has. */
export const REPORTER = join(root, 'scripts', 'lib', 'checks', 'report-file.mjs');

/**
 * @param {import('../types').Log} log
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [more] environment
 * @returns {Promise<Tally>}
 */
export const runJest = async (log, args, more = {}) => {
	const file = join(tmpdir(), `local-llama-jest-${process.pid}-${Date.now()}.json`);
	const takeBack = onExit(() => rmSync(file, { force: true }));
	const jest = join(root, 'node_modules', '.bin', 'jest');
	const env = {
		...toolEnvironment(),
		// A larger space for new objects saves a tenth of the processor time: each suite loads all its modules.
		NODE_OPTIONS: '--disable-warning=ExperimentalWarning --max-semi-space-size=64',
		REPORT_FILE: file,
		...more,
	};
	// Behind the paths: jest takes what follows as further reporters.
	const reporters = ['default', REPORTER].map((name) => `--reporters=${name}`);
	const { code, output } = await run(jest, [...args, ...reporters], {
		cwd: root,
		env,
		onLine: (line) => log.line(`  ${line}`),
		check: false,
	});
	/** @type {FileReport[] | undefined} */
	const reports = readJsonIfThere(file);
	rmSync(file, { force: true });
	takeBack();
	if (!reports) throw new CommandError(`jest left no report:\n${output}`, output, code);
	const tally = tallyOfJest(reports);
	if (code !== 0 && tally.failures.length === 0) tally.failures.push(`jest ended with ${code}`);
	return tally;
};

/**
 * @param {string[]} sources files and folders, from the root
 * @returns {Promise<string[]>} all test files that use them, from the root
 */
export const findRelatedTests = async (sources) => {
	const files = sources.flatMap((source) => filesBelow(join(root, source)));
	const jest = join(root, 'node_modules', '.bin', 'jest');
	const args = ['--listTests', '--json', '--findRelatedTests', ...files];
	const { stdout } = await run(jest, args, { cwd: root, env: toolEnvironment() });
	/** @type {string[]} */
	const tests = JSON.parse(stdout);
	return tests.map((file) => relative(root, file)).sort();
};

/** Needs no message: jest has printed the failures. */
class TestsFailed extends Error {}

/**
 * Runs checks in sequence, those of a group in parallel, and counts them with the tests. Stops after the first that fails.
 *
 * @param {import('../types').Log} log
 * @param {Array<Check | Check[]>} checks
 * @param {string} [hint] printed if something failed
 * @param {{ goesOn?: boolean }} [options] `goesOn`: does not stop
 * @returns {Promise<number>} the exit code
 */
export const runChecks = async (log, checks, hint, { goesOn = false } = {}) => {
	const total = emptyTally();
	const startedAt = Date.now();
	/** @param {Check} check */
	const runCheck = async ({ name, check, counts = true }) => {
		try {
			await log.step(name, async (progress) => {
				const tally = await check(progress);
				if (!tally) {
					total.passed += counts ? 1 : 0;
					return;
				}
				progress.note(closingLine(tally));
				total.passed += tally.passed;
				total.failures.push(...tally.failures);
				total.skipped.push(...tally.skipped);
				if (tally.failures.length > 0) throw new TestsFailed();
			});
		} catch (error) {
			if (error instanceof TestsFailed) return;
			const output = error instanceof CommandError ? error.output.trimEnd() : '';
			const message = output || (error instanceof Error ? error.message : String(error));
			log.line(message);
			total.failures.push(failureLine(name, message.slice(-600)));
		}
	};
	for (const group of checks) {
		await Promise.all([group].flat().map(runCheck));
		if (total.failures.length > 0 && !goesOn) break;
	}
	for (const name of total.skipped) log.line(`Skipped: ${name}`);
	// Repeated at the end of a long output, since its middle may be truncated.
	for (const failure of total.failures.slice(0, 20)) log.line(`Failed: ${failure}`);
	if (total.failures.length > 0 && hint) log.line(hint);
	log.line(`Took ${formatDuration(Date.now() - startedAt)}`);
	log.line(closingLine(total));
	return total.failures.length > 0 ? 1 : 0;
};
