import * as fc from 'fast-check';

import { failure } from '../../../lib/errors/failure';
import { kindOfMessage } from '../../../lib/errors/kind-of-message';
import {
	batchLimitIn,
	isNotANumber,
	takesOneTextOnly,
	tooLongIn,
} from '../../../lib/servers/text-refusals';
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
	[
		'LMDeploy',
		'Input length (4010) must be smaller than the model context length (2048).',
		{ tokens: 4010, limit: 2048 },
	],
	['llama-server, older', 'input is too large to process. increase the physical batch size', {}],
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

const WORDS_FOR_TOO_LONG: Array<[string, (tokens: number, limit: number) => string]> = [
	[
		'llama-server',
		(tokens, limit) =>
			`request (${tokens} tokens) exceeds the available context size (${limit} tokens), try increasing it`,
	],
	[
		'LM Studio',
		(tokens, limit) =>
			`Trying to keep the first ${tokens} tokens when context the overflows. However, the model is loaded with context length of only ${limit} tokens, which is not enough.`,
	],
	[
		'LM Studio, with its names',
		(tokens, limit) =>
			`The number of tokens to keep from the initial prompt is greater than the context length (n_keep: ${tokens}>= n_ctx: ${limit}). Try to load the model with a larger context length`,
	],
	[
		'LM Studio, engine',
		(tokens, limit) => `Cannot truncate prompt with n_keep (${tokens}) >= n_ctx (${limit})`,
	],
	[
		'Text Generation Inference, all tokens',
		(tokens, limit) =>
			`Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= ${limit}. Given: ${tokens} \`inputs\` tokens and 100 \`max_new_tokens\``,
	],
	[
		'Text Generation Inference, prompt',
		(tokens, limit) =>
			`Input validation error: \`inputs\` must have less than ${limit} tokens. Given: ${tokens}`,
	],
	[
		'vLLM, with pictures',
		(tokens, limit) =>
			`The decoder prompt (length ${tokens}) is longer than the maximum model length of ${limit}. Make sure that \`max_model_len\` is no smaller`,
	],
];

test.each(WORDS_FOR_TOO_LONG)(
	'too long in the words of %s, whatever a gateway puts around them',
	(_server, textOf) => {
		const token = fc.integer({ min: 1, max: 10_000_000 });
		const property = fc.property(token, token, fc.string(), (tokens, limit, around) => {
			const other = around.replace(/\d/g, '');
			const text = `${other} error: ${textOf(tokens, limit)} ${other}`;
			expect(tooLongIn(said(text))).toEqual({ tokens, limit });
			expect(kindOfMessage(text)).toBe('contextOverflow');
		});
		fc.assert(property, examples(200));
	},
);

test('LM Studio without numbers is too long as well', () => {
	const text =
		'The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input';
	expect(kindOfMessage(text)).toBe('contextOverflow');
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

test.each([
	[
		"Triton's frontend",
		'body.input.str: Input should be a valid string; body.input.list[int].0: Input should be a valid integer, unable to parse string as an integer',
		true,
	],
	['FastAPI', 'body.input: Input should be a valid string', true],
	['pydantic 1', 'body.input: str type expected', true],
	['pydantic', '1 validation error for R\ninput\n  Input should be a valid string [type=x]', true],
	['Go', 'json: cannot unmarshal array into Go struct field Request.input of type string', true],
	['serde', 'input: invalid type: sequence, expected a string at line 1 column 9', true],
	['a validator', "'input' must be a string", true],
	['a list with a wrong entry', 'body.input.0: Input should be a valid string', false],
	[
		'a text or a list, with a wrong entry',
		'body.input.str: Input should be a valid string; body.input.list[str].0: Input should be a valid string',
		false,
	],
	['a validator of lists', 'input must be a string or an array of strings', false],
	['another field', 'body.user_input: Input should be a valid string', false],
	['its model', 'body.model: Input should be a valid string', false],
])('one text in a request: %s', (_server, text, isOne) => {
	expect(takesOneTextOnly(said(text))).toBe(isOne);
});
