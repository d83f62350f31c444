import type { ErrorType } from '../../../lib/errors/error-types';
import { createServerError } from '../../../lib/errors/create-error';
import { describeOvercomeFailure } from '../../../lib/exchange/server-failure';
import { testLimit } from '../../support/jest/limits';

const REPORT = { codes: [], isQuoted: false, isOfGateway: false };

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
	const report = status === undefined ? undefined : { ...REPORT, status };
	const failure = createServerError(type, {}, { status, serverText, report });
	expect(describeOvercomeFailure(failure)).toBe(`The request was sent twice: ${text}`);
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
