import { createServerError } from '../../../lib/errors/create-error';
import { explainNan } from '../../../lib/tasks/nan-errors';

const toError = (serverText: string) =>
	createServerError('serverError', { url: 'http://127.0.0.1:9' }, { serverText });
const ITEM = { index: 2, text: 'a text' };

it.each([
	'failed to encode response: json: unsupported value: NaN',
	'embedding contains NaN or Inf values',
	'Out of range float values are not JSON compliant: nan',
	'The embedding of item 0 is non-finite (NaN or Inf)',
	'the vector is not entirely finite',
])('the text of a vector that is not made of numbers: %s', (serverText) => {
	const error = explainNan(toError(serverText), ITEM, { noun: 'Text', result: 'vector' });
	expect(error?.message).toBe('The vector of text 3 contains no numbers');
	expect(error?.suggestion).toContain('another quantization');
	const score = explainNan(toError(serverText), ITEM, { noun: 'Document', result: 'score' });
	expect(score?.message).toBe('The score of document 3 is not a number');
});

it.each(['dimensions must be a number', 'unknown model nan-embed', 'No information', 'finance'])(
	'something else: %s',
	(serverText) => {
		expect(
			explainNan(toError(serverText), ITEM, { noun: 'Text', result: 'vector' }),
		).toBeUndefined();
	},
);
