/**
 * Gets a part that only some tests need: if it is missing, those are skipped or fail with `problem`, and the others run.
 *
 * @template T
 * @param {import('./types').Log} log is told what is missing
 * @param {() => Promise<T> | T} find
 * @returns {Promise<{ file?: T, problem?: string }>}
 */
export const optionalPart = async (log, find) => {
	try {
		return { file: await find() };
	} catch (error) {
		const problem = error instanceof Error ? error.message : String(error);
		log.line(`  Warning: ${problem}`);
		return { problem };
	}
};
