import * as fc from 'fast-check';

import { failure } from '../../../lib/errors/failure';
import { batchLimitIn, isNotANumber, tooLongIn } from '../../../lib/servers/text-refusals';
import { examples } from '../../support/properties';

const said = (serverText: string) => failure('badRequest', {}, { serverText });

test.each([
	[
		'llama-server, -ub',
		'input (602 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
		{ tokens: 602, limit: 512 },
	],
	[
		'llama-server, context',
		'input (302 tokens) is larger than the max context size (256 tokens). skipping',
		{ tokens: 302, limit: 256 },
	],
	['Ollama', 'the input length exceeds the context length', {}],
	[
		'Text Embeddings Inference',
		'Input validation error: `inputs` must have less than 512 tokens. Given: 602',
		{ tokens: 602, limit: 512 },
	],
	[
		'vLLM',
		"This model's maximum context length is 512 tokens. However, you requested 602 tokens in the input",
		{ tokens: 602, limit: 512 },
	],
])('too long: %s', (_server, text, facts) => {
	expect(tooLongIn(said(text))).toEqual(facts);
});

test('too long in the words of llama-server, whatever a gateway puts around them', () => {
	const token = fc.integer({ min: 1, max: 10_000_000 });
	const property = fc.property(token, token, fc.string(), (tokens, limit, around) => {
		const text = `request (${tokens} tokens) exceeds the available context size (${limit} tokens), try increasing it`;
		expect(tooLongIn(said(`${around.replace(/\d/g, '')} error: ${text} ${around}`))).toEqual({
			tokens,
			limit,
		});
	});
	fc.assert(property, examples(200));
});

test('too long by the facts of the error; anything else is not', () => {
	expect(
		tooLongIn(failure('contextOverflow', {}, { facts: { n_ctx: 9, n_prompt_tokens: 12 } })),
	).toEqual({
		limit: 9,
		tokens: 12,
	});
	expect(tooLongIn(said('model not found'))).toBeUndefined();
});

test('the batch limit of Text Embeddings Inference, and NaN of Ollama', () => {
	expect(batchLimitIn(said('batch size 100 > maximum allowed batch size 32'))).toBe(32);
	expect(batchLimitIn(said('batch size 100'))).toBeUndefined();
	expect(isNotANumber(said('failed to encode response: json: unsupported value: NaN'))).toBe(true);
});
