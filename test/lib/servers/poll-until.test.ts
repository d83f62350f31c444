import { createServerError } from '../../../lib/errors/create-error';
import { pollUntil } from '../../../lib/servers/poll-until';
import { getError } from '../../support/jest/get-error';

const OVER = createServerError('modelLoading', {});
const UNANSWERED = createServerError('totalTimeout', {});
const REFUSED = createServerError('connectionRefused', {});

const poll = async (timeoutMs: number, error: Error) =>
	await getError(
		pollUntil(
			{ timeoutMs, pauseMs: 100 },
			async () => await Promise.reject(error),
			() => OVER,
		),
	);

test('the last poll that gets no response is the end of the time', async () => {
	expect(await poll(50, UNANSWERED)).toBe(OVER);
});

test('an earlier poll without a response is its own error', async () => {
	expect(await poll(60_000, UNANSWERED)).toBe(UNANSWERED);
});

test.each([50, 60_000])('another error stays, with %d ms to go', async (timeoutMs) => {
	expect(await poll(timeoutMs, REFUSED)).toBe(REFUSED);
});
