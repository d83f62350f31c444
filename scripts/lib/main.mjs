import { join } from 'node:path';
import { readJson, root } from './paths.mjs';
import { CommandError, isStopping } from './proc.mjs';

/**
 * @param {string} version Node's `process.version`
 * @returns {string | undefined} what is wrong with it, and what to do
 */
export const nodeProblem = (version) => {
	/** @type {string} */
	const wanted = readJson(join(root, 'package.json')).engines.node;
	const [oldest, major] = [wanted, version].map((text) => Number(/\d+/.exec(text)?.[0]));
	if (oldest === undefined || major === undefined || major >= oldest) return undefined;
	return `Node ${oldest} or newer is needed, and this is ${version}. Install the LTS version of https://nodejs.org/en/download (or: nvm install --lts).`;
};

/**
 * Runs a script: its result is the exit code, an error is printed without a stack, and nothing it started stays behind.
 *
 * @param {() => Promise<number>} script
 */
export const main = async (script) => {
	let exitCode = 1;
	try {
		const problem = nodeProblem(process.version);
		if (problem) throw new Error(problem);
		exitCode = await script();
	} catch (error) {
		// After a signal the children end and their callers fail: not worth reporting.
		if (isStopping()) return;
		const code = error instanceof Error && 'code' in error ? String(error.code) : '';
		const plain =
			error instanceof CommandError || (error instanceof Error && error.name === 'Error');
		const known = plain || code.startsWith('ERR_PARSE_ARGS');
		const text = error instanceof Error ? (known ? error.message : error.stack) : String(error);
		process.stderr.write(`\n${text}\n`);
	}
	if (!isStopping()) process.exit(exitCode);
};

/**
 * Like `Promise.all`, but waits for all, so that a long step is not lost when a short one fails, then throws all errors.
 *
 * @template {readonly unknown[]} T
 * @param {[...{ [K in keyof T]: Promise<T[K]> }]} work
 * @returns {Promise<T>}
 */
export const allOrEveryFailure = async (work) => {
	const results = await Promise.allSettled(work);
	const reasons = results.flatMap((result) =>
		result.status === 'rejected' ? [result.reason] : [],
	);
	if (reasons.length === 1) throw reasons[0];
	if (reasons.length > 1) {
		const texts = reasons.map((reason) =>
			reason instanceof Error ? reason.message : String(reason),
		);
		throw new Error([...new Set(texts)].join('\n\n'));
	}
	const values = results.map((result) =>
		result.status === 'fulfilled' ? result.value : undefined,
	);
	return /** @type {T} */ (/** @type {unknown} */ (values));
};
