/** What people read of an error: all of it, in a chat of the owner, and as advice. */
import path from 'node:path';
import { createServerError } from '../../../lib/errors/create-error';
import type { ErrorOverrides } from '../../../lib/errors/create-error';
import { describeError, toOwnerChatText } from '../../../lib/errors/describe-error';
import { withPeriod } from '../../../lib/errors/sentences';
import type { ErrorType } from '../../../lib/errors/error-types';
import { expectApproved } from '../../support/approved/approved-table';

const LONG = 'The model has a long story to tell about its failure. '.repeat(12);
const FOUR = 'First step. Second step, which is longer. Third step! Fourth step? e.g. not a step.';

const ERRORS: ReadonlyArray<
	readonly [ErrorType, ErrorOverrides, url?: string, displayed?: string]
> = [
	['badRequest', {}],
	['badRequest', { title: 'No', suggestion: 'Do it.' }],
	[
		'badRequest',
		{ title: 'No', suggestion: 'Do it.' },
		'http://user:pass@gpu:8080/v1/chat?key=1#x',
	],
	['badRequest', { title: 'No', suggestion: 'Do it.' }, 'http://gpu/v1', ''],
	['badRequest', { title: 'No', suggestion: 'Do it.' }, 'http://gpu/v1', 'http://shown/'],
	['badRequest', { title: 'No', suggestion: 'Do it.' }, `http://gpu/${'x'.repeat(600)}`],
	['badRequest', { title: 'No', suggestion: 'Do it.', serverText: 'It failed' }, 'http://gpu/v1'],
	['badRequest', { title: 'It failed', suggestion: 'Do it.', serverText: ' It failed. ' }],
	['badRequest', { title: 'No', suggestion: 'See "It failed".', serverText: 'It failed' }],
	['badRequest', { title: 'No', suggestion: 'Do it.', serverText: LONG }, 'http://gpu/v1'],
	['badRequest', { title: 'No', suggestion: 'Do it.', partialText: 'Hello' }],
	['badRequest', { title: 'No', detail: 'The detail', suggestion: FOUR, serverText: 'It failed' }],
	[
		'badRequest',
		{ title: LONG.trim(), suggestion: FOUR, serverText: 'It failed' },
		'http://gpu/v1',
	],
	['badRequest', { title: 'No', suggestion: '' }],
	['badRequest', { title: 'No\u0007 bell', suggestion: 'Do\u202e it.' }],
];

const shorten = (text: string) =>
	text.replaceAll(/(x{10})x{50,}/g, '$1…').replaceAll(LONG.trim(), 'LONG');

test('each error has its texts', () => {
	const rows = ERRORS.map(([type, overrides, url, displayed]) => {
		const error = createServerError(type, url === undefined ? {} : { url }, overrides);
		return {
			input: shorten(JSON.stringify([overrides, url, displayed])),
			outcome: {
				all: shorten(describeError(error, displayed)),
				chat: shorten(toOwnerChatText(error, displayed)),
			},
		};
	});
	const others = [new Error('plain'), 'text', undefined].map((error) => ({
		input: `in a chat: ${String(error)}`,
		outcome: toOwnerChatText(error),
	}));
	const ends = ['a', 'a.', 'a!', 'a?', 'a…', 'a:', 'a."', 'a.)', 'a)', 'a”', 'a.”', ''].map(
		(sentence) => ({ input: `with a period: ${sentence}`, outcome: withPeriod(sentence) }),
	);
	expectApproved(
		path.join(__dirname, 'describe-error.approved.txt'),
		[...rows, ...others, ...ends],
		'People read an error once, with its advice, and visitors no address',
	);
});
