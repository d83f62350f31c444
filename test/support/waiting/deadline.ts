import { describeRequests } from '../servers/requests';
import { watchIdleTime } from './idle-time.cjs';

/** Idle time of this process after which nothing more will happen. */
const DEADLINE_MS = 20_000;

/** A noun, such as `the second request`; read when the time is over. */
type What = () => string;

/**
 * The error of a test that waits in vain.
 *
 * @param stack where the test began to wait
 */
function createDeadlineError(what: string, ms: number, stack = ''): Error {
	const error = new Error(`Waited ${ms / 1000} s in vain for ${what}.\n${describeRequests()}`);
	if (stack !== '') error.stack = `Error: ${error.message}\n${stack.replace(/^.*\n/, '')}`;
	return error;
}

/** The result of the work; rejects if this process has had nothing to do for 20 s meanwhile, and says what happened instead. */
export async function withDeadline<T>(work: Promise<T>, what: What, ms = DEADLINE_MS): Promise<T> {
	const begin = { stack: '' };
	Error.captureStackTrace(begin, withDeadline);
	let endWatch = (): void => undefined;
	const late = new Promise<never>((_resolve, reject) => {
		endWatch = watchIdleTime(ms, () => reject(createDeadlineError(what(), ms, begin.stack)));
	});
	try {
		return await Promise.race([work, late]);
	} finally {
		endWatch();
	}
}

/**
 * Polls until a condition holds for which there is no event.
 *
 * @param pause between two looks
 */
export async function pollUntil(
	isSo: () => boolean,
	pause: () => Promise<unknown>,
	what: What = () => isSo.toString().replace(/^\(\) => /, ''),
): Promise<void> {
	let isLate = false;
	const endWatch = watchIdleTime(DEADLINE_MS, () => {
		isLate = true;
	});
	try {
		while (!isSo()) {
			if (isLate) throw createDeadlineError(what(), DEADLINE_MS);
			await pause();
		}
	} finally {
		endWatch();
	}
}
