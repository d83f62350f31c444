import type { ErrorType } from '../../../lib/errors/error-types';
import { createServerError } from '../../../lib/errors/create-error';
import { describeOvercomeFailure, withBothTries } from '../../../lib/exchange/server-failure';
import { testLimit } from '../../support/jest/limits';

const fail = (type: ErrorType, details: { status?: number; serverText?: string }) =>
	createServerError(type, {}, details);

test.each([
	[
		{ status: 500, serverText: 'list index out of range' },
		'once with status 500 and responded at the second try: "list index out of range".',
	],
	[
		{ serverText: 'Already\n borrowed' },
		'once and responded at the second try: "Already borrowed".',
	],
	[{ status: 500 }, 'once with status 500 and responded at the second try.'],
	[{ status: 500, serverText: ' ' }, 'once with status 500 and responded at the second try.'],
])('what a hint says of %j', (details, text) => {
	const failure = fail('serverError', details);
	expect(describeOvercomeFailure(failure)).toBe(`The server failed ${text}`);
});

test.each<[ErrorType, boolean]>([
	['serverError', true],
	['streamError', true],
	['outputParseFailed', true],
	['unauthorized', false],
	['promptTooLong', false],
])('whether the error %s says that it was tried twice: %j', (type, isSaid) => {
	const { suggestion } = withBothTries(fail(type, {}));
	expect(suggestion.endsWith(' A second try failed as well.')).toBe(isSaid);
});

testLimit('lib/exchange/server-failure.ts#MAX_QUOTED_TEXT', {
	limit: 200,
	outcome: (length) =>
		describeOvercomeFailure(fail('serverError', { serverText: 'x'.repeat(length) })).includes('…'),
	within: false,
	beyond: true,
});
