/** The beginnings of a text that are tried, by what each refusal says. */
import { createServerError } from '../../../lib/errors/create-error';
import { shortenText } from '../../../lib/tasks/shorten-text';
import { expectApproved } from '../../support/approved/approved-table';
import type { JsonRecord } from '../../../lib/values/records';
import path from 'node:path';

const TEXT = 'abcde '.repeat(200);
const refuse = (facts: JsonRecord = {}, serverText = '') =>
	createServerError('badRequest', {} as never, { facts, serverText });

/** The refusals in turn, the last one again and again. */
const REFUSALS = {
	'no reason': [refuse()],
	'too many tokens': [refuse({ n_prompt_tokens: 400, n_ctx: 100 })],
	'as many tokens as fit': [refuse({ n_prompt_tokens: 100, n_ctx: 100 })],
	'tokens, then no reason': [refuse({ n_prompt_tokens: 400, n_ctx: 300 }), refuse()],
	characters: [refuse({}, 'must have less than 1,000 characters. Given: 1200')],
	'more characters than it has': [refuse({}, 'at most 4096 characters')],
	bytes: [refuse({}, 'limit is 500 bytes')],
	'two limits in turn': [
		refuse({}, 'at most 900 characters'),
		refuse({}, 'at most 300 bytes'),
		refuse(),
	],
	'one character': [refuse({}, 'at most 1 character')],
} as const;

test('each refusal', () => {
	const texts = { usual: TEXT, wide: '😀'.repeat(150), short: 'ab', blank: `a${' '.repeat(20)}` };
	const rows = Object.entries(REFUSALS).flatMap(([refusal, errors]) =>
		Object.entries(texts).map(([name, text]) => {
			let tried = 0;
			const getRefusal = () => errors[Math.min(tried++, errors.length - 1)]!;
			const lengths = [...shortenText(text, getRefusal)].map((beginning) => beginning.length);
			return { input: `${refusal}, ${name} of ${text.length}`, outcome: lengths };
		}),
	);
	expectApproved(
		path.join(__dirname, 'shorten-text.approved.txt'),
		rows,
		'A shorter beginning is tried as the refusal says, and no half of a character',
	);
});
