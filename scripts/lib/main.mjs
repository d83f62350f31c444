import { CommandError, isStopping } from './proc.mjs';

/** For the scripts themselves. Everything else runs on the Node that they install. */
const OLDEST_NODE = 20;

/**
 * @param {string} version Node's `process.version`
 * @returns {string | undefined} what is wrong with it, and what to do
 */
export const nodeProblem = (version) => {
	const major = Number(/\d+/.exec(version)?.[0]);
	if (major >= OLDEST_NODE) return undefined;
	return `Node ${OLDEST_NODE} or newer is needed, and this is ${version}. Install the LTS version of https://nodejs.org/en/download (or: nvm install --lts).`;
};

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {unknown} error */
const stackOf = (error) => (error instanceof Error ? error.stack : String(error));

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
		const isPlain =
			error instanceof CommandError || (error instanceof Error && error.name === 'Error');
		const text = isPlain || code.startsWith('ERR_PARSE_ARGS') ? messageOf(error) : stackOf(error);
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
