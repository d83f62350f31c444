/** What people read of an error: all of it, in a chat of the owner, and as advice. */
import path from 'node:path';
import { createServerError } from '../../../lib/errors/create-error';
import type { ErrorOverrides } from '../../../lib/errors/create-error';
import type { InputWords } from '../../../lib/errors/failure';
import { describeError, toOwnerChatText } from '../../../lib/errors/describe-error';
import { withPeriod } from '../../../lib/errors/sentences';
import { tell } from '../../../lib/errors/tell';
import type { ErrorType } from '../../../lib/errors/error-types';
import { expectApproved } from '../../support/approved/approved-table';

const LONG = 'The model has a long story to tell about its failure. '.repeat(12);

/** With the words of an error in one place. */
type Overrides = Partial<InputWords> & Pick<ErrorOverrides, 'serverText' | 'partialText'>;

const ERRORS: ReadonlyArray<readonly [ErrorType, Overrides, url?: string, displayed?: string]> = [
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
	['badRequest', { title: 'No', suggestion: '' }],
	['badRequest', { title: 'No\u0007 bell', suggestion: 'Do\u202e it.' }],
];

const shorten = (text: string) =>
	text.replaceAll(/(x{10})x{50,}/g, '$1…').replaceAll(LONG.trim(), 'LONG');

test('each error has its texts', () => {
	const rows = ERRORS.map(([type, overrides, url, displayed]) => {
		const { title, detail, suggestion, ...others } = overrides;
		const inputWords = title === undefined ? undefined : { title, detail, suggestion };
		const context = url === undefined ? {} : { url };
		const error = createServerError(type, context, { ...others, inputWords });
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

test('an error without words of its own has those of its type', () => {
	const error = createServerError('badRequest', {});
	const { detail, suggestion } = tell(error, 'owner');
	expect(describeError(error)).toBe(`${withPeriod(detail)} ${suggestion}`);
	expect(toOwnerChatText(error)).toBe(describeError(error));
});

describe('of several steps', () => {
	const suggestion =
		'First step. Second step, which is longer. Third step! Fourth step? e.g. no step.';
	const toError = (detail: string) =>
		createServerError(
			'badRequest',
			{ url: 'http://gpu/v1' },
			{ inputWords: { title: detail, suggestion }, serverText: 'It failed' },
		);

	it('all are told where there is room', () => {
		const all = `The detail. Server message: "It failed". ${suggestion} URL: http://gpu/v1`;
		expect(describeError(toError('The detail'))).toBe(all);
		expect(toOwnerChatText(toError('The detail'))).toBe(all);
	});

	/** Of a chat, whose limit is 40 words: the detail, and as much of the rest as fits. */
	it.each([
		{ words: 20, steps: suggestion, isQuoted: true },
		{ words: 23, steps: 'First step. Second step, which is longer. Third step!', isQuoted: true },
		{ words: 28, steps: 'First step. Second step, which is longer.', isQuoted: true },
		{ words: 30, steps: 'First step.', isQuoted: true },
		{ words: 36, steps: 'First step.', isQuoted: false },
	])('a chat has $words words, then $steps', ({ words, steps, isQuoted }) => {
		const detail = Array<string>(words).fill('No').join(' ');
		const quotation = isQuoted ? 'Server message: "It failed". ' : '';
		const all = `${detail}. ${quotation}${steps} URL: http://gpu/v1`;
		const isAll = all.split(' ').length <= 40;
		expect(toOwnerChatText(toError(detail))).toBe(isAll ? all : all.replace(/ URL: .*$/, ''));
	});

	it('the first one is told, however long the detail is', () => {
		const detail = Array<string>(60).fill('No').join(' ');
		expect(toOwnerChatText(toError(detail))).toBe(`${detail}. First step.`);
	});
});
