import fc from 'fast-check';

import { clock } from '../../../lib/clock';
import {
	fieldChangesIn,
	withFieldChanges,
	knownFieldChanges,
	refusedFieldsIn,
	rememberFieldChanges,
} from '../../../lib/servers/refused-fields';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { examples } from '../../support/properties';

it.each<[string, string, string[]]>([
	[
		'FastAPI',
		'body.top_k: Extra inputs are not permitted; body.min_p: Extra inputs are not permitted',
		['top_k', 'min_p'],
	],
	['pydantic 1', 'body.min_p: extra fields not permitted', ['min_p']],
	[
		'MAX',
		'1 validation error for CreateChatCompletionRequest\nrepeat_penalty\n  Extra inputs are not permitted [type=extra_forbidden, input_value=1.2, input_type=float]\n    For further information visit https://errors.pydantic.dev/2.14/v/extra_forbidden',
		['repeat_penalty'],
	],
	[
		'OpenAI',
		"Unsupported parameter: 'max_tokens' is not supported with this model.",
		['max_tokens'],
	],
	['OpenAI', "Unknown parameter: 'top_k'.", ['top_k']],
	['llamafile', 'OpenAI logprobs field not supported yet', ['logprobs']],
	['OpenAI before', 'Unrecognized request argument supplied: top_k', ['top_k']],
	[
		'OpenAI before, several',
		'Unrecognized request arguments supplied: min_p, top_k',
		['min_p', 'top_k'],
	],
	[
		'Azure',
		'Unrecognized request argument supplied: chat_template_kwargs',
		['chat_template_kwargs'],
	],
	[
		'LiteLLM',
		"litellm.UnsupportedParamsError: x does not support parameters: ['top_k', 'seed'], for model=m",
		['top_k', 'seed'],
	],
	[
		'LiteLLM before',
		"x does not support parameters: {'top_k': 1, 'seed': 2}, for model=m",
		['top_k', 'seed'],
	],
	['Python', "create() got an unexpected keyword argument 'min_p'", ['min_p']],
	['serde', 'unknown field `top_k`, expected one of `model`, `messages`', ['top_k']],
	['Go', 'json: unknown field "top_k"', ['top_k']],
	[
		'JSON schema',
		"Additional properties are not allowed ('min_p', 'top_k' were unexpected)",
		['min_p', 'top_k'],
	],
	['Groq', "property 'top_k' is unsupported", ['top_k']],
	['transformers serve', "Unexpected fields in the request: {'top_k'}", ['top_k']],
	[
		'transformers serve, several',
		"Unexpected fields in the request: {'top_k', 'min_p'}",
		['top_k', 'min_p'],
	],
	['vLLM', "The parameter 'min_p' is not supported", ['min_p']],
	['vLLM', 'Got priority -2 but Priority scheduling is not enabled.', ['priority']],
	['vLLM V1', 'V1 does not support priority yet.', ['priority']],
	[
		'NVIDIA Dynamo',
		'Validation: Unsupported parameter(s): `cache_prompt`, `mirostat`',
		['cache_prompt', 'mirostat'],
	],
])('%s: %s', (_who, refusal, fields) => {
	expect(refusedFieldsIn(refusal)).toEqual(fields);
});

it.each([
	'think value "low" is not supported for this model',
	'image input is not supported - hint: you may need to provide the mmproj',
	'body.messages.0.content: Input should be a valid string',
	'1 validation error for M\nmessages.0.note\n  Extra inputs are not permitted [type=extra_forbidden]',
	'1 validation error for M\ntop_k\n  Input should be a valid integer [type=int_type]',
	'registry.ollama.ai/library/smol:latest does not support tools',
	'Context size has been exceeded.',
])('names no field: %s', (refusal) => {
	expect(refusedFieldsIn(refusal)).toEqual([]);
});

it('names each field of a list once, however the list is quoted', () => {
	const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z_]{0,20}$/), {
		minLength: 1,
		maxLength: 9,
	});
	const word = fc.constantFrom('parameter', 'parameters', 'parameter(s)', 'field(s)', 'keys');
	const quote = fc.constantFrom('`', "'", '"', '');
	fc.assert(
		fc.property(names, word, quote, (fields, what, mark) => {
			const list = fields.map((field) => mark + field + mark).join(', ');
			expect(refusedFieldsIn(`Unsupported ${what}: ${list}`)).toEqual(fields);
		}),
		examples(200),
	);
});

it('names the forbidden fields in the text of pydantic, and no others', () => {
	const name = fc.stringMatching(/^[a-z][a-z_]{0,20}$/);
	const place = fc.oneof(
		name,
		fc.tuple(name, name).map(([outer, inner]) => `${outer}.${inner}`),
	);
	const problem = fc.record({ place, isForbidden: fc.boolean(), value: fc.json() });
	const newline = fc.constantFrom('\n', '\r\n');
	fc.assert(
		fc.property(fc.array(problem, { minLength: 1, maxLength: 6 }), newline, (problems, end) => {
			const lines = problems.flatMap(({ place: at, isForbidden, value }) => {
				const what = isForbidden ? 'Extra inputs are not permitted' : 'Field required';
				return [
					at,
					`  ${what} [type=x, input_value=${value}]`,
					'    For further information visit x',
				];
			});
			const refusal = [`${problems.length} validation errors for Request`, ...lines].join(end);
			const forbidden = problems
				.filter(({ isForbidden }) => isForbidden)
				.map(({ place: at }) => at);
			const fields = forbidden.filter((at) => !at.includes('.'));
			expect(refusedFieldsIn(refusal)).toEqual([...new Set(fields)]);
		}),
		examples(200),
	);
});

it('is remembered for an hour, for each model of a server', () => {
	clearSharedCaches();
	const now = jest.spyOn(clock, 'now').mockReturnValue(0);
	rememberFieldChanges('http://a m', { top_k: null });
	expect([knownFieldChanges('http://a m'), knownFieldChanges('http://a n')]).toEqual([
		{ top_k: null },
		{},
	]);
	now.mockReturnValue(61 * 60_000);
	expect(knownFieldChanges('http://a m')).toEqual({});
	now.mockRestore();
});

it('a field that has another name is renamed, not left out', () => {
	const said =
		"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
	const changes = fieldChangesIn(said);
	expect(changes).toEqual({ max_tokens: 'max_completion_tokens' });
	expect(withFieldChanges({ model: 'm', max_tokens: 9 }, changes)).toEqual({
		model: 'm',
		max_completion_tokens: 9,
	});
	expect(withFieldChanges({ top_k: 1 }, fieldChangesIn("Unknown parameter: 'top_k'."))).toEqual({});
});
