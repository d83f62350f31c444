import { CommandError, isStopping } from './processes.mjs';

/** For the scripts themselves. Everything else runs on the Node that they install. */
const OLDEST_NODE = 20;

/**
 * @param {string} version Node's `process.version`
 * @returns {string | undefined} the problem with it, and a suggestion
 */
export const nodeProblem = (version) => {
	if (Number(/\d+/.exec(version)?.[0]) >= OLDEST_NODE) return undefined;
	return `Node ${OLDEST_NODE} or newer is needed, and this is ${version}. Install the LTS version of https://nodejs.org/en/download (or: nvm install --lts).`;
};

/** @param {unknown} error @returns {string} its message; with the stack if it is a bug of the scripts */
const formatError = (error) => {
	if (!(error instanceof Error)) return String(error);
	const code = 'code' in error ? String(error.code) : '';
	const isPlain = error instanceof CommandError || error.name === 'Error';
	return isPlain || code.startsWith('ERR_PARSE_ARGS')
		? error.message
		: (error.stack ?? error.message);
};

/**
 * Runs a script: its result is the exit code, an error is printed without a stack, and all processes that it started are ended.
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
		process.stderr.write(`\n${formatError(error)}\n`);
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
	const reasons = results.flatMap((result) => {
		if (result.status === 'fulfilled') return [];
		return result.reason instanceof Error ? result.reason.message : String(result.reason);
	});
	if (reasons.length > 0) throw new Error([...new Set(reasons)].join('\n\n'));
	return await Promise.all(work);
};
