import type { ErrorType } from '../../../lib/errors/error-types';
import { createServerError } from '../../../lib/errors/create-error';
import { describeOvercomeFailure, withOpenTime } from '../../../lib/exchange/server-failure';
import { testLimit } from '../../support/jest/limits';

const REPORT = { codes: [], isOfGateway: false };

test.each<[ErrorType, { status?: number; serverText?: string }, string]>([
	[
		'serverError',
		{ status: 500, serverText: 'list index out of range' },
		'the server failed with status 500 ("list index out of range").',
	],
	[
		'streamError',
		{ status: 200, serverText: 'Already\n borrowed' },
		'the response contained an error ("Already borrowed").',
	],
	['serverError', { status: 500 }, 'the server failed with status 500.'],
	['serverError', { status: 500, serverText: ' ' }, 'the server failed with status 500.'],
	['emptyResponse', {}, 'the response was empty.'],
	['onlyThinking', {}, 'the response was only thinking.'],
	['closedBeforeResponse', {}, 'the connection was closed before a response.'],
])('what a hint says of %s with %j', (type, { status, serverText }, text) => {
	const isInside = status === 200 || undefined;
	const report = status === undefined ? undefined : { ...REPORT, status, isInside };
	const failure = createServerError(type, {}, { status, serverText, report });
	expect(describeOvercomeFailure(failure)).toBe(`The request was sent twice: ${text}`);
});

test.each<[ErrorType, number, string]>([
	['closedBeforeResponse', 4_999, 'The server closed the connection before it responded'],
	[
		'closedBeforeResponse',
		60_012,
		'The server closed the connection before it responded (after 60 s)',
	],
	['connectionLost', 5_000, 'The connection was lost during the response (after 5 s)'],
	['streamEndedEarly', 90_000, 'The response ended before it was complete (after 90 s)'],
	['emptyResponse', 90_000, 'The model returned an empty response'],
])('%s after %s ms: %s', (type, elapsedMs, title) => {
	expect(withOpenTime(createServerError(type, {}), elapsedMs).message).toBe(title);
});

test('what the server itself reports keeps its sentence', () => {
	const reported = createServerError('connectionLost', {}, { report: { ...REPORT, status: 500 } });
	expect(withOpenTime(reported, 90_000)).toBe(reported);
});

testLimit('lib/exchange/server-failure.ts#MAX_QUOTED_TEXT', {
	limit: 200,
	outcome: (length) =>
		describeOvercomeFailure(
			createServerError('serverError', {}, { serverText: 'x'.repeat(length) }),
		).includes('…'),
	within: false,
	beyond: true,
});
