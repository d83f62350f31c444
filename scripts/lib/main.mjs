import { CommandError, isStopping } from './proc.mjs';

/**
 * Runs a script: its result is the exit code, an error is printed without a stack, and nothing it started stays behind.
 *
 * @param {() => Promise<number>} script
 */
export const main = async (script) => {
	let exitCode = 1;
	try {
		exitCode = await script();
	} catch (error) {
		// A signal ends the children, and whoever waited for them fails: that is no news.
		if (isStopping()) return;
		const code = error instanceof Error && 'code' in error ? String(error.code) : '';
		const known = error instanceof CommandError || (error instanceof Error && error.name === 'Error') || /^ERR_PARSE_ARGS/.test(code);
		const text = error instanceof Error ? (known ? error.message : error.stack) : String(error);
		process.stderr.write(`\n${text}\n`);
	}
	if (!isStopping()) process.exit(exitCode);
};

/**
 * Waits for all, so that a long step is not lost because a short one failed, then fails with everything that went wrong.
 *
 * @template {readonly unknown[]} T
 * @param {[...{ [K in keyof T]: Promise<T[K]> }]} work
 * @returns {Promise<T>}
 */
export const allOrEveryFailure = async (work) => {
	const results = await Promise.allSettled(work);
	const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
	if (reasons.length === 1) throw reasons[0];
	if (reasons.length > 1) {
		throw new Error([...new Set(reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))))].join('\n\n'));
	}
	return /** @type {T} */ (/** @type {unknown} */ (results.map((result) => (result.status === 'fulfilled' ? result.value : undefined))));
};
