import { clearTimeout, setTimeout } from 'node:timers';
import { describeRequests } from '../servers/requests';

/** Longer than anything that a test awaits takes on a busy machine, and shorter than the limit of a test. */
const DEADLINE_MS = 20_000;

// Taken before a test replaces the clock.
const [startTimer, stopTimer] = [setTimeout, clearTimeout];

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

/** The result of the work; rejects if it takes longer than 20 s, and says what happened instead. */
export async function withDeadline<T>(work: Promise<T>, what: What, ms = DEADLINE_MS): Promise<T> {
	const begin = { stack: '' };
	Error.captureStackTrace(begin, withDeadline);
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_resolve, reject) => {
		timer = startTimer(() => reject(createDeadlineError(what(), ms, begin.stack)), ms);
	});
	try {
		return await Promise.race([work, late]);
	} finally {
		stopTimer(timer);
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
	const timer = startTimer(() => {
		isLate = true;
	}, DEADLINE_MS);
	try {
		while (!isSo()) {
			if (isLate) throw createDeadlineError(what(), DEADLINE_MS);
			await pause();
		}
	} finally {
		stopTimer(timer);
	}
}
