/** Rejected values and fields: by the label of the option, with the limit, in every form of an error body. */
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { COMPLETION_FIELDS, getChatFields } from '../../../lib/chat/body/generation-fields';
import { explainRejection } from '../../../lib/exchange/explain-rejection';
import { IMAGE_FIELDS } from '../../../lib/tasks/generate-images';
import type { JsonRecord } from '../../../lib/values/records';
import { LONG, OPERATIONS } from './sent-values';

/** What servers say about a value of this type, and what the title then contains. */
const getLimits = (value: unknown): Array<[said: string, shown: RegExp]> => {
	if (typeof value === 'number')
		return [
			['Input should be less than or equal to 4', /at most 4/],
			['must be between 0.25 and 4.0', /between 0\.25 and 4/],
			['ensure this value is less than or equal to 4', /at most 4/],
			['integer above maximum value. Expected a value <= 4, but got 9 instead.', /at most 4/],
			['Value must be between 1 <= value <= 4, but got 9', /between 1 and 4/],
			['Input should be a valid string', /a text/],
		];
	const longest = [value].flat().sort((a, b) => String(b).length - String(a).length)[0];
	if (longest === LONG)
		return [
			['String should have at most 4096 characters', /5,000 (?:of|sent)|4,096/],
			['ensure this value has at most 4096 characters', /4,096/],
			[
				'string too long. Expected a string with maximum length 4096, but got a string with length 5000 instead.',
				/4,096/,
			],
		];
	return [
		["Input should be 'one', 'two' or 'three'", /one of one, two, three/],
		["value is not a valid enumeration member; permitted: 'one', 'two'", /one of one, two/],
		["Supported values are: 'one', 'two', and 'three'.", /one of one, two, three/],
		['must be one of: one, two, three', /one of one, two, three/],
		['Input should be a valid integer', /a whole number/],
	];
};

const json = (value: unknown) => JSON.stringify(value);
const plain = (field: string) => field.replace('[]', '');

/** How servers say it. */
const FORMS: Readonly<Record<string, (field: string, said: string) => string>> = {
	FastAPI: (field, said) =>
		json({ detail: [{ loc: ['body', field], msg: said, type: 'value_error' }] }),
	'FastAPI, several': (field, said) =>
		json({
			detail: [
				{ loc: ['body', 'unrelated'], msg: 'Field required', type: 'missing' },
				{ loc: ['body', field], msg: said, type: 'value_error', ctx: { le: 4 } },
			],
		}),
	'a message with the path': (field, said) =>
		json({ error: { message: `body.${field}: ${said}`, type: 'invalid_request_error' } }),
	'pydantic 1': (field, said) =>
		json({
			error: `1 validation error for Request\nbody -> ${field}\n  ${said} (type=value_error)`,
		}),
	'pydantic 2': (field, said) =>
		json({
			detail: `1 validation error for SpeechRequest\n${field}\n  ${said} [type=x, input_value=9, input_type=int]`,
		}),
	OpenAI: (field, said) =>
		json({
			error: {
				message: `Invalid '${field}': ${said}`,
				type: 'invalid_request_error',
				param: field,
				code: 'invalid_value',
			},
		}),
	'OpenAI, only the place names the field': (field, said) =>
		json({
			error: { message: said, type: 'invalid_request_error', param: plain(field), code: null },
		}),
	vLLM: (field, said) =>
		json({
			error: {
				message: `[{'type': 'x', 'loc': ('body', '${field}'), 'msg': ${said.includes("'") ? json(said) : `'${said}'`}, 'input': 9}]`,
				type: 'Bad Request',
				param: null,
				code: 400,
			},
		}),
	LiteLLM: (field, said) =>
		json({
			error: {
				message: `litellm.BadRequestError: OpenAIException - Error code: 400 - {'error': {'message': ${json(said)}, 'type': 'x', 'param': '${field}', 'code': None}}`,
				type: null,
				param: null,
				code: '400',
			},
		}),
	'llama-server': (field, said) =>
		json({
			error: { code: 400, message: `Field '${field}': ${said}`, type: 'invalid_request_error' },
		}),
	'plain text': (field, said) => `"${field}": ${said}`,
	'a colon': (field, said) => json({ error: `${field}: ${said}` }),
};

const explain = (
	body: string,
	operation: keyof typeof OPERATIONS,
	extraBody: JsonRecord = {},
	status = 422,
) => {
	const { rows, body: sent } = OPERATIONS[operation]!;
	const error = classifyErrorResponse({ status, body }, { model: 'm' });
	return explainRejection(error, { rows, extraBody }, { ...sent, ...extraBody });
};

const CASES = Object.entries(OPERATIONS).flatMap(([operation, { rows, body }]) =>
	Object.entries(body).flatMap(([field, value]) =>
		Object.entries(FORMS).flatMap(([form, write]) =>
			getLimits(value).map(([said, shown]) => ({
				operation,
				field,
				form,
				said,
				shown,
				row: rows.find((row) => row.field === field)!,
				body: write(field, said),
			})),
		),
	),
);

test.each(CASES)(
	'$operation names $field by its label, rejected as $form: $said',
	({ operation, body, shown, row, field }) => {
		const { error, isComplete } = explain(body, operation)!;
		expect(isComplete).toBe(true);
		const isNamed = row.valueNoun !== undefined && /one of/.test(shown.source);
		expect(isNamed ? error.suggestion : error.message).toMatch(shown);
		expect(error.message.toLowerCase()).toContain((row.noun ?? row.label!).toLowerCase());
		expect(`${error.message} ${error.suggestion}`).not.toMatch(/\bbody\.|that option|loc\b/);
		if (field.includes('_')) expect(`${error.message} ${error.suggestion}`).not.toContain(field);
		expect(error.suggestion).toContain(row.shorten ?? (isNamed ? row.label : `"${row.label}"`));
	},
);

describe('a field of Extra Body is named as such', () => {
	test.each(Object.entries(FORMS))(
		'a field of Extra Body is named as such, rejected as %s',
		(_form, write) => {
			const { error } = explain(write('n', 'Input should be less than or equal to 1'), 'Speak', {
				n: 5,
			})!;
			expect(error.message).toBe('n (Extra Body): at most 1');
			expect(error.suggestion).toBe('Set n in "Extra Body" to at most 1.');
		},
	);

	test.each([
		['FastAPI', FORMS.FastAPI!('n', 'Extra inputs are not permitted')],
		['OpenAI', FORMS.OpenAI!('n', "Unknown parameter: 'n'.")],
	])('that a server does not support: %s', (_form, body) => {
		const { error } = explain(body, 'Generate Images', { n: 5 })!;
		expect(error.message).toBe('The server rejects the option n (Extra Body)');
		expect(error.suggestion).toBe('Remove n from "Extra Body".');
	});
});

describe('a value of Extra Body that a server quotes without the name of its field', () => {
	const DURATION = 'must be a duration such as 30m or 2h';
	test.each([
		{
			server: 'Ollama',
			extra: { keep_alive: '5' },
			said: 'time: missing unit in duration "5"',
			title: `keep_alive (Extra Body): ${DURATION}`,
		},
		{
			server: 'Ollama',
			extra: { keep_alive: 'always', user: 'x' },
			said: 'time: invalid duration "always"',
			title: `keep_alive (Extra Body): ${DURATION}`,
		},
		{
			server: 'Ollama',
			extra: { keep_alive: '5min' },
			said: 'time: unknown unit "min" in duration "5min"',
			title: `keep_alive (Extra Body): ${DURATION}`,
		},
		{
			server: 'Ollama, Go 1.23',
			extra: { keep_alive: {} },
			said: 'json: cannot unmarshal object into Go struct field ChatRequest.keep_alive of type api.Duration',
			title: `keep_alive (Extra Body): ${DURATION}`,
		},
		{
			server: 'Ollama',
			extra: { options: { num_gpu: 'all' } },
			said: 'json: cannot unmarshal string into Go struct field ChatRequest.options.num_gpu of type int',
			title: 'num_gpu (Extra Body): must be a whole number',
		},
		{
			server: 'Ollama',
			extra: { options: { num_gpu: 'all' } },
			said: 'option "num_gpu" must be of type integer',
			title: 'num_gpu (Extra Body): must be a whole number',
		},
		{
			server: 'Ollama',
			extra: { think: 'low' },
			said: 'think value "low" is not supported for this model',
			title: 'think (Extra Body): the server does not support "low"',
		},
		{
			server: 'Ollama',
			extra: { think: 'tiny' },
			said: 'invalid think value: "tiny" (must be "high", "medium", "low", true, or false)',
			title: 'think (Extra Body): one of high, medium, low',
		},
		{
			server: 'Ollama',
			extra: { format: 'xml' },
			said: 'invalid format: "xml"; expected "json" or a valid JSON Schema object',
			title: 'format (Extra Body): the server does not support "xml"',
		},
		{
			server: 'llama-server',
			extra: { mirostat: 'on', grammar_lazy: true },
			said: '[json.exception.type_error.302] type must be number, but is string',
			title: 'mirostat (Extra Body): must be a number',
		},
		{
			server: 'another server',
			extra: { service_tier: 'gold', user: 'x' },
			said: 'Unsupported value: `gold`',
			title: 'service_tier (Extra Body): the server does not support "gold"',
		},
		{
			server: 'another server, in Chinese',
			extra: { service_tier: 'gold' },
			said: 'invalid 参数值 "gold"',
			title: 'service_tier (Extra Body): the server does not support "gold"',
		},
	] as const)('$server: $said', ({ extra, said, title }) => {
		for (const operation of ['Chat', 'Complete', 'Classify'] as const) {
			const explained = explain(json({ error: { message: said } }), operation, extra, 400);
			expect([operation, explained?.error.message]).toEqual([operation, title]);
			expect(explained?.error.suggestion).toMatch(/"Extra Body"/);
		}
	});

	test.each([
		{ extra: { a: 'x', b: 'x' }, said: 'invalid value "x"', reason: 'two fields have the value' },
		{ extra: { a: 'y' }, said: 'invalid value "x"', reason: 'no field has the value' },
		{
			extra: { a: 'x', b: 'y' },
			said: 'type must be number, but is string',
			reason: 'two fields have the type',
		},
		{ extra: { a: 'x' }, said: 'The tenant "x" is archived', reason: 'it is not about a value' },
		{
			extra: { a: 1 },
			said: "Width must be an integer between 256 and 4096, in multiples of '1'",
			reason: 'a digit may be quoted for any reason',
		},
	])('names no field if $reason: $said', ({ extra, said }) => {
		expect(explain(json({ error: { message: said } }), 'Complete', extra, 400)).toBeUndefined();
	});
});

/** Real sentences, and titles. */
test.each([
	[
		'Speak',
		'String should have at most 4096 characters',
		'The text is too long for the server (5,000 of 4,096 characters)',
	],
	[
		'Speak',
		'Text too long: 5000 characters (maximum 4096)',
		'The text is too long for the server (5,000 of 4,096 characters)',
	],
	[
		'Speak',
		'Input text exceeds the maximum length of 4096 characters',
		'The text is too long for the server (5,000 of 4,096 characters)',
	],
	['Speak', 'speed must be between 0.25 and 4.0', 'Speed: between 0.25 and 4'],
	[
		'Speak',
		"Invalid voice 'nova'. Available voices: af_heart, af_bella",
		'The server does not support the voice "nova"',
	],
	[
		'Speak',
		"Voice 'nova' not found. Supported voices: ['af_heart', 'am_adam']",
		'The server does not support the voice "nova"',
	],
	[
		'Speak',
		"Unsupported response_format 'flac'. Must be one of mp3, wav",
		'File Format: one of mp3, wav',
	],
	['Generate Images', "'n' must be 1", 'Number of Images: only 1'],
	['Generate Images', 'n=9 is not supported, only n=1 is supported', 'Number of Images: only 1'],
	[
		'Generate Images',
		"Invalid value: '7x7'. Supported values are: '1024x1024', '1024x1536', and 'auto'.",
		'Size: one of 1024x1024, 1024x1536, auto',
	],
	// vLLM-Omni: how a size is written is no list of sizes.
	[
		'Generate Images',
		"Invalid size format: '7x7'. Expected format: 'WIDTHxHEIGHT'. Did you mean to use 'x' as separator?",
		'Size: the server does not support "7x7"',
	],
	[
		'Chat',
		'top_k must be -1 (disable), or at least 1 and no more than 5',
		'Sampling: Top K: between 1 and 5',
	],
	[
		'Complete',
		"Field 'n_predict': Value must be between -1 <= value <= 4, but got 9",
		'Maximum Tokens: between -1 and 4',
	],
	[
		'Complete',
		'max_tokens for `llama-3.1-8b-instant` must be less than or equal to 8',
		'Maximum Tokens: at most 8',
	],
	[
		'Complete',
		'temperature: Input should be less than or equal to 2 [type=less_than_equal, input_value=9]',
		'Temperature: at most 2',
	],
	['Transcribe', "timestamp_granularities must be one of ['segment']", 'Timestamps: only segment'],
] as const)('%s has its own title for the rejection "%s"', (operation, said, title) => {
	const text =
		title.startsWith('The text') && said.startsWith('String') ? `body.input: ${said}` : said;
	expect(explain(json({ error: { message: text } }), operation, {}, 400)?.error.message).toBe(
		title,
	);
});

describe('not a limit of an option', () => {
	test.each([
		['Embed', "jina_ai does not support parameters: {'encoding_format': 'float'}, for model=embed"],
		['Complete', "key 'prompt' not found"],
		['Embed', '"input" must not be empty'],
		['Speak', "Unknown parameter: 'foo'. Did you mean 'voice'?"],
		['Speak', 'The input contains characters that are not supported'],
		['Speak', 'The model needs a voice of at most 30 seconds'],
		['Generate Images', 'At most 4 prompts are processed per minute'],
		['Generate Images', 'body.n: Input should be less than or equal to 100'],
		['Speak', 'body.input: String should have at most 40960 characters'],
		[
			'Complete',
			'This model has a maximum context length of 4096 tokens, however you requested 5000 tokens',
		],
		['Embed', 'the input is at most 512 tokens long'],
		['Speak', 'model must be loaded first'],
		['Complete', 'Server stop requested: the limit is 3'],
		['Complete', 'batch size 64 > maximum allowed batch size 32'],
		['Embed', 'input is too large to process. increase the physical batch size (current 512)'],
	] as const)('%s finds no limit of an option in "%s"', (operation, message) => {
		const { isComplete = false } = explain(json({ error: { message } }), operation, {}, 400) ?? {};
		expect(isComplete).toBe(false);
	});

	test('what a visitor wrote', () => {
		const text = 'Repeat this sentence: body.n: Input should be less than or equal to 1';
		const error = classifyErrorResponse(
			{ status: 422, body: json({ detail: `Cannot paint "${text}"` }) },
			{},
		);
		expect(explainRejection(error, { rows: IMAGE_FIELDS }, { prompt: text, n: 5 })).toBeUndefined();
	});
});

describe('a message in its own words that contains a name of Extra Body', () => {
	const suggest = (operation: string, extraBody: JsonRecord, message: string) => {
		const { rows, body } = OPERATIONS[operation]!;
		const error = classifyErrorResponse({ status: 400, body: json({ error: { message } }) }, {});
		const explained = explainRejection(error, { rows, extraBody }, { ...body, ...extraBody });
		expect(explained?.error.message ?? error.message).toBe(error.message);
		return explained?.error.suggestion;
	};

	it.each<{ operation: string; extraBody: JsonRecord; message: string; change: string }>([
		{
			operation: 'Chat',
			extraBody: { json_schema: {}, grammar: 'root ::= "a"' },
			message: 'Cannot use both json_schema and grammar',
			change: 'json_schema',
		},
		{
			operation: 'Chat',
			extraBody: { response_format: { type: 'nope' } },
			message: 'response_format type must be one of "text" or "json_object", but got: nope',
			change: 'response_format',
		},
		{
			operation: 'Chat',
			extraBody: { top_logprobs: 5 },
			message: 'top_logprobs requires logprobs to be set to true',
			change: 'top_logprobs',
		},
		{
			operation: 'Chat',
			extraBody: { tools: { a: 1 } },
			message: "Failed to parse tools: Expected 'tools' to be an array, got {}",
			change: 'tools',
		},
		{
			operation: 'Chat',
			extraBody: { messages: 'x' },
			message: "Expected 'messages' to be an array",
			change: 'messages',
		},
		{
			operation: 'Chat',
			extraBody: { messages: [{ role: 'user', content: 5 }] },
			message: "Expected 'content' to be a string or an array",
			change: 'messages (content)',
		},
		{
			operation: 'Complete',
			extraBody: { best_of: 2, echo: true },
			message: 'best_of needs a temperature, and `echo` is off then',
			change: 'best_of or echo',
		},
		{
			operation: 'Embed',
			extraBody: { input_type: 'x' },
			message: 'No such input type in this deployment',
			change: 'input_type',
		},
		{
			operation: 'Rerank',
			extraBody: { max_chunks_per_doc: 0 },
			message: 'No chunks left (max_chunks_per_doc)',
			change: 'max_chunks_per_doc',
		},
		{
			operation: 'Generate Images',
			extraBody: { sampling_options: { guidance_scale: 90 } },
			message: 'guidance_scale makes no sense here',
			change: 'sampling_options (guidance_scale)',
		},
	])('$operation: change $change after "$message"', ({ operation, extraBody, message, change }) => {
		expect(suggest(operation, extraBody, message)).toBe(`Change ${change} in "Extra Body".`);
	});

	it.each<{ extraBody: JsonRecord; message: string }>([
		{ extraBody: {}, message: 'Cannot use both json_schema and grammar' },
		{ extraBody: { user: 'ann' }, message: 'The user has no such project' },
		{ extraBody: { tools: [] }, message: 'Remote tools failed to start' },
		{ extraBody: { stream: true }, message: 'The stream was closed' },
		{ extraBody: { top_k: 5 }, message: 'Nothing to do: desktop_key' },
	])('not after "$message"', ({ extraBody, message }) => {
		expect(suggest('Chat', extraBody, message)).toBeUndefined();
	});
});

describe('a list where the server wants a text', () => {
	it.each([
		'json: cannot unmarshal array into Go struct field GenerateRequest.prompt of type string',
		'json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string',
	])('is not measured: %s', (message) => {
		const error = classifyErrorResponse({ status: 400, body: json({ error: { message } }) }, {});
		const body = { prompt: ['a', 'b'] };
		expect(explainRejection(error, { rows: COMPLETION_FIELDS }, body)?.error.message).toBe(
			'Prompt: must be a text',
		);
	});
});

describe('a message about something inside of an object in Extra Body', () => {
	it.each<{ extraBody: JsonRecord; message: string }>([
		{
			extraBody: { chat_template_kwargs: { enable_thinking: 'yes' } },
			message: 'invalid type for "enable_thinking" (expected boolean, got string)',
		},
		{
			extraBody: { stream_options: { include_usage: 5 } },
			message: "invalid value for 'include_usage': must be a boolean",
		},
		{
			extraBody: { lora_request: { scale: 'big' } },
			message: '"big" is not a valid number',
		},
	])('is no limit of the object: $message', ({ extraBody, message }) => {
		const error = classifyErrorResponse({ status: 400, body: json({ error: { message } }) }, {});
		const rows = getChatFields({});
		const explained = explainRejection(error, { rows, extraBody }, { ...extraBody })?.error;
		const [name] = Object.keys(extraBody);
		expect(explained?.message).toBe(`${name} (Extra Body): ${message}`);
		expect(explained?.suggestion).toBe(`Change ${name} in "Extra Body".`);
	});
});

describe('a number that the server computed', () => {
	const rows = getChatFields({});
	const explain = (message: string, body: JsonRecord) => {
		const text = JSON.stringify({ error: { message } });
		return explainRejection(classifyErrorResponse({ status: 400, body: text }, {}), { rows }, body);
	};

	it.each([
		'max_tokens must be at least 1, got -186.',
		"'max_tokens' must be at least 1, got -186",
		'“max_completion_tokens” must be at least 1, got -12.',
		'`max_tokens` must be greater than 0, got -4000',
	])('is about the context: %s', (message) => {
		expect(explain(message, { max_tokens: 512 })).toBeUndefined();
		expect(explain(message, {})).toBeUndefined();
	});

	it('is about its option if it was sent', () => {
		const explained = explain('max_tokens must be at least 1, got -5', { max_tokens: -5 });
		expect(explained?.error.message).toBe('Maximum Tokens: at least 1');
	});
});

describe('a field that the server requires and the operation does not send', () => {
	it.each<{ body: object; name: string }>([
		{
			body: {
				error: {
					message: 'chunking_strategy is required for diarization models',
					param: 'chunking_strategy',
				},
			},
			name: 'chunking_strategy',
		},
		{ body: { detail: [{ loc: ['body', 'ref_text'], msg: 'Field required' }] }, name: 'ref_text' },
		{ body: { error: 'Missing required parameter: voice_prompt' }, name: 'voice_prompt' },
		{ body: { detail: 'reference_id must be provided' }, name: 'reference_id' },
	])('$name is added in Extra Body', ({ body, name }) => {
		const { error, isComplete } = explain(json(body), 'Transcribe', {}, 400)!;
		expect(error.suggestion).toBe(
			`Add the field "${name}" to "Extra Body": the documentation of the server lists its values.`,
		);
		expect(isComplete).toBe(false);
	});

	it.each([
		{ detail: [{ loc: ['body', 'audio_file'], msg: 'field required' }] },
		{ detail: [{ loc: ['body', 'file'], msg: 'Field required' }] },
		{ error: 'A license is required' },
	])('nothing is added for a file, or for what may be no field: %j', (body) => {
		expect(explain(json(body), 'Transcribe', {}, 400)?.error.suggestion ?? '').not.toMatch(/^Add/);
	});

	test('nor in an operation without Extra Body', () => {
		const error = classifyErrorResponse(
			{ status: 400, body: json({ error: 'input_type is required' }) },
			{},
		);
		expect(explainRejection(error, OPERATIONS.Embed!, OPERATIONS.Embed!.body)).toBeUndefined();
	});
});

test('tasks of a model are no models', () => {
	const message =
		"ModelNotDeployedError: model=`BAAI/bge-reranker` does not support `embed`. Reason: options are {'rerank'}.";
	const error = classifyErrorResponse({ status: 400, body: json({ error: { message } }) }, {});
	const rows = [{ field: 'model', label: 'Model', canOmit: false }];
	expect(explainRejection(error, { rows }, { model: 'BAAI/bge-reranker' })).toBeUndefined();
});
