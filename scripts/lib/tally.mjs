/** Runs checks and jest, and counts passed, failed and skipped tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { toolEnvironment } from './deps.mjs';
import { formatDuration } from './log.mjs';
import { readJsonIfThere, root } from './paths.mjs';
import { CommandError, onExit, run } from './proc.mjs';

/** @typedef {import('./types').Tally} Tally */
/** @typedef {{ fullName: string, status: string, failureMessages?: string[] | null }} Assertion */
/** @typedef {{ name: string, status: string, message?: string, assertionResults: Assertion[] }} FileResult */
/** @typedef {{ numPassedTests: number, numFailedTests: number, testResults: FileResult[] }} JestReport */

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {(progress: import('./types').Progress) => Promise<Tally | void>} check
 * @property {boolean} [counts] `false`: a preparation, which is counted only if it fails
 */

/** @returns {Tally} */
export const emptyTally = () => ({ passed: 0, failed: 0, failures: [], skipped: [] });

/** Characters of a failure's message that are printed again at the end. */
const MESSAGE_LENGTH = 600;
/** Failures that are printed again at the end. */
const NAMED_FAILURES = 20;

/**
 * @param {string} name
 * @param {string} [message]
 * @returns {string} one line
 */
const failureLine = (name, message = '') => {
	const own = stripVTControlCharacters(message).replace(
		/\n\s+at (?:new Promise|.*(?:node_modules|node:)).*/g,
		'',
	);
	const told = own.replace(/\s+/g, ' ').trim();
	return told === '' ? name : `${name}: ${told.slice(0, MESSAGE_LENGTH)}`;
};

/**
 * @param {Pick<Tally, 'passed' | 'failed' | 'skipped'>} tally
 * @returns {string} the line that ends a test run
 */
export const closingLine = ({ passed, failed, skipped }) =>
	`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;

/**
 * @param {JestReport} report
 * @returns {Tally}
 */
export const tallyOfJest = (report) => {
	const assertions = report.testResults.flatMap(({ assertionResults }) => assertionResults);
	// A test file that fails to load has no assertions, and a failing `afterAll` fails no test.
	const broken = report.testResults.filter(
		({ status, assertionResults }) =>
			status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
	);
	return {
		passed: report.numPassedTests,
		failed: report.numFailedTests + broken.length,
		failures: [
			...report.testResults.flatMap(({ name: file, assertionResults: tests }) =>
				tests
					.filter(({ status }) => status === 'failed')
					.map(({ fullName, failureMessages }) =>
						failureLine(`${relative(root, file)}, ${fullName}`, failureMessages?.[0]),
					),
			),
			...broken.map(({ name: file, message }) => failureLine(relative(root, file), message)),
		],
		skipped: assertions
			.filter(({ status }) => ['pending', 'todo', 'skipped', 'disabled'].includes(status))
			.map(({ fullName }) => fullName),
	};
};

/**
 * @param {import('./types').Log} log
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @returns {Promise<Tally>}
 */
export const runJest = async (log, args, env = {}) => {
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-jest-'));
	const clean = () => rmSync(folder, { recursive: true, force: true });
	const takeBack = onExit(clean);
	try {
		const file = join(folder, 'report.json');
		const jest = join(root, 'node_modules', '.bin', 'jest');
		const { code, output } = await run(jest, [...args, '--json', `--outputFile=${file}`], {
			cwd: root,
			env: { ...toolEnvironment(), NODE_OPTIONS: '--disable-warning=ExperimentalWarning', ...env },
			onLine: (line) => log.line(`  ${line}`),
			check: false,
		});
		/** @type {JestReport | undefined} */
		const report = readJsonIfThere(file);
		if (!report) throw new CommandError(`jest left no report:\n${output}`, output, code);
		const tally = tallyOfJest(report);
		return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
	} finally {
		clean();
		takeBack();
	}
};

/** Needs no message: jest has printed the failures. */
class TestsFailed extends Error {}

/**
 * Runs checks in sequence, those of a group in parallel, and counts them with the tests. Stops after the first that fails.
 *
 * @param {import('./types').Log} log
 * @param {Array<Check | Check[]>} checks
 * @param {string} [hint] printed when something failed
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
				total.failed += tally.failed;
				total.failures.push(...tally.failures);
				total.skipped.push(...tally.skipped);
				if (tally.failed > 0) throw new TestsFailed();
			});
		} catch (error) {
			if (error instanceof TestsFailed) return;
			total.failed += 1;
			const output = error instanceof CommandError ? error.output.trimEnd() : '';
			const message = output || (error instanceof Error ? error.message : String(error));
			log.line(message);
			total.failures.push(failureLine(name, message.slice(-MESSAGE_LENGTH)));
		}
	};
	for (const group of checks) {
		await Promise.all([group].flat().map(runCheck));
		if (total.failed > 0 && !goesOn) break;
	}
	for (const name of total.skipped) log.line(`Skipped: ${name}`);
	// Once more, where a long output ends: its middle may be cut.
	for (const failure of total.failures.slice(0, NAMED_FAILURES)) log.line(`Failed: ${failure}`);
	if (total.failed > 0 && hint) log.line(hint);
	log.line(`Took ${formatDuration(Date.now() - startedAt)}`);
	log.line(closingLine(total));
	return total.failed > 0 ? 1 : 0;
};
