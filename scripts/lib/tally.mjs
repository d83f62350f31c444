/** Runs checks and jest, and counts passed, failed and skipped tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolEnvironment } from './deps.mjs';
import { formatDuration } from './log.mjs';
import { readJsonIfThere, root } from './paths.mjs';
import { CommandError, onExit, run } from './proc.mjs';

/** @typedef {import('./types').Tally} Tally */
/** @typedef {{ fullName: string, status: string }} Assertion */
/** @typedef {{ name: string, status: string, assertionResults: Assertion[] }} FileResult */
/** @typedef {{ numPassedTests: number, numFailedTests: number, testResults: FileResult[] }} JestReport */

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {(progress: import('./types').Progress) => Promise<Tally | void>} check
 * @property {boolean} [counts] `false`: a preparation, which is counted only if it fails
 */

/** @returns {Tally} */
export const emptyTally = () => ({ passed: 0, failed: 0, skipped: [] });

/**
 * @param {Tally} tally
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
		({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
	);
	return {
		passed: report.numPassedTests,
		failed: report.numFailedTests + broken.length,
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
 * @returns {Promise<number>} the exit code
 */
export const runChecks = async (log, checks, hint) => {
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
				total.skipped.push(...tally.skipped);
				if (tally.failed > 0) throw new TestsFailed();
			});
		} catch (error) {
			if (error instanceof TestsFailed) return;
			total.failed += 1;
			const output = error instanceof CommandError ? error.output.trimEnd() : '';
			log.line(output || (error instanceof Error ? error.message : String(error)));
		}
	};
	for (const group of checks) {
		await Promise.all([group].flat().map(runCheck));
		if (total.failed > 0) break;
	}
	for (const name of total.skipped) log.line(`Skipped: ${name}`);
	if (total.failed > 0 && hint) log.line(hint);
	log.line(`Took ${formatDuration(Date.now() - startedAt)}`);
	log.line(closingLine(total));
	return total.failed > 0 ? 1 : 0;
};
