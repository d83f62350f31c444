/** Rejections in the words of people: every field that an operation sends, by its label and limit. */
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { explainRejection } from '../../../lib/exchange/explain-rejection';
import { findSentenceSubjects } from '../../../lib/exchange/sentence-subject';
import type { JsonRecord } from '../../../lib/values/records';
import { LONG, OPERATIONS } from './sent-values';

const explain = (
	operation: string,
	body: unknown,
	{ status = 400, sent = {}, extraBody = {} as JsonRecord } = {},
) => {
	const { rows, body: values } = OPERATIONS[operation]!;
	const error = classifyErrorResponse(
		{ status, body: typeof body === 'string' ? body : JSON.stringify(body) },
		{ model: 'm' },
	);
	return explainRejection(error, { rows, extraBody }, { ...values, ...sent, ...extraBody })?.error;
};

/** What servers say of a value of this kind, and what the title or the suggestion then contains. */
function getPredicates(value: unknown): Array<readonly [said: string, shown: RegExp]> {
	if (typeof value === 'number')
		return [
			['must be <= 5', /at most 5/],
			['must be between 0 and 5', /between 0 and 5/],
			['must be less than or equal to 5', /at most 5/],
			['cannot be greater than 5', /at most 5/],
			['should be at most 5', /at most 5/],
			['exceeds the maximum of 5', /at most 5/],
			['must be in the range [0, 5]', /between 0 and 5/],
			['must be in (0, 5]', /more than 0 and at most 5/],
			['is out of range (0.0 - 5.0)', /between 0 and 5/],
			['must be no more than 5', /at most 5/],
			['must not exceed 5', /at most 5/],
			['is too large (max: 5)', /at most 5/],
		];
	if ([value].flat().includes(LONG))
		return [
			['must be at most 4096 characters', /4,096/],
			['exceeds the maximum length of 4096 characters', /4,096/],
			['is too long (max 4096 characters)', /4,096/],
			['must not be longer than 4096 characters', /4,096/],
			['has 5000 characters, but the limit is 4096', /4,096/],
		];
	return [
		['must be one of: one, two, three', /one, two, three/],
		["must be 'one' or 'two'", /one, two/],
		["must be one of ['one', 'two']", /one, two/],
		['must be one of one|two|three', /one, two, three/],
		['is invalid. Allowed: one, two', /one, two/],
	];
}

const toWords = (field: string) => field.replace('[]', '').replaceAll('_', ' ');
const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** How servers name a field in a sentence. */
const FORMS: Readonly<Record<string, (field: string, said: string) => unknown>> = {
	'a list of FastAPI': (field, said) => ({
		detail: [{ loc: ['body', field], msg: `Value error, ${said}`, type: 'value_error' }],
	}),
	'single quotation marks': (field, said) => ({ error: { message: `'${field}' ${said}` } }),
	'double quotation marks': (field, said) => ({ detail: `"${field}" ${said}.` }),
	'backticks (TEI)': (field, said) => ({ error: `Input validation error: \`${field}\` ${said}` }),
	'its name': (field, said) => ({ error: { message: `${field} ${said}` } }),
	'words (vox-box)': (field, said) => ({ detail: `${capitalize(toWords(field))} ${said}` }),
	'words in a sentence': (field, said) => ({ message: `The ${toWords(field)} ${said}.` }),
	'its name after pydantic’s words': (field, said) => ({
		error: { message: `Value error, ${field} ${said}` },
	}),
	'its name after Python’s class': (field, said) => ({ detail: `ValueError: ${field} ${said}` }),
	'its name after gRPC’s words (LocalAI)': (field, said) => ({
		error: { code: 500, message: `rpc error: code = InvalidArgument desc = ${field} ${said}` },
	}),
	'its name after echo’s words (LocalAI)': (field, said) => ({
		error: { message: `code=400, message=${field} ${said}` },
	}),
	'its name after LiteLLM’s words': (field, said) => ({
		error: {
			message: `litellm.BadRequestError: OpenAIException - ${field} ${said}. Received Model Group=m\nAvailable Model Group Fallbacks=None`,
			param: null,
			code: '400',
		},
	}),
	'its name and a colon': (field, said) => ({ error: { message: `Invalid ${field}: ${said}` } }),
	'its name after other words': (field, said) => ({
		error: { message: `Invalid value for ${field}: ${said}` },
	}),
	'the parameter': (field, said) => ({ error: { message: `The parameter ${field} ${said}` } }),
};

const FIELDS = Object.entries(OPERATIONS)
	// Generations have further fields, which chats test.
	.filter(([operation]) => operation !== 'Chat')
	.flatMap(([operation, { rows, body }]) =>
		Object.entries(body).flatMap(([field, value]) =>
			Object.keys(FORMS).map((form) => ({
				operation,
				field,
				form,
				value,
				row: rows.find((candidate) => candidate.field === field)!,
			})),
		),
	);

test.each(FIELDS)(
	'$operation: a sentence about $field as $form leads to its label and limit',
	({ operation, field, form, value, row }) => {
		const missing = getPredicates(value).flatMap(([said, shown]) => {
			const error = explain(operation, FORMS[form]!(field, said));
			const text = error ? `${error.message} — ${error.suggestion}` : 'no option';
			const isNamed = text.toLowerCase().includes((row.noun ?? row.label!).toLowerCase());
			return isNamed && shown.test(text) ? [] : [`${said} → ${text}`];
		});
		expect(missing).toEqual([]);
	},
);

/* Real sentences */

it.each<{ operation: string; sent?: JsonRecord; body: unknown; status?: number; title: string }>([
	// GPUStack's vox-box
	{
		operation: 'Speak',
		sent: { speed: 3 },
		body: { detail: 'Speed must be between 0.25 and 2' },
		title: 'Speed: between 0.25 and 2',
	},
	{
		operation: 'Speak',
		sent: { response_format: 'opus' },
		body: { detail: 'Unsupported audio format: opus' },
		title: 'File Format: the server does not support "opus"',
	},
	{
		operation: 'Transcribe',
		sent: { temperature: 1.5 },
		body: { detail: 'Temperature must be between 0 and 1' },
		title: 'Temperature: between 0 and 1',
	},
	// Xinference
	{
		operation: 'Transcribe',
		body: { detail: '[address=0.0.0.0:1, pid=2] Unsupported response format: srt' },
		status: 500,
		title: 'Response Format: the server does not support "srt"',
	},
	// LocalAI
	{
		operation: 'Generate Images',
		body: { error: { code: 500, message: "invalid value for 'size'", type: '' } },
		status: 500,
		title: "Size: invalid value for 'size'",
	},
	{
		operation: 'Transcribe',
		body: { error: { code: 500, message: 'invalid response_format', type: '' } },
		status: 500,
		title: 'Response Format: invalid response_format',
	},
	// Other FastAPI servers
	{
		operation: 'Speak',
		body: { detail: "Unsupported response_format='flac'" },
		title: 'File Format: the server does not support "flac"',
	},
	{
		operation: 'Speak',
		sent: { speed: 3 },
		body: { detail: 'speech speed must be between 0.6 and 1.5' },
		title: 'Speed: between 0.6 and 1.5',
	},
	{
		operation: 'Speak',
		sent: { speed: 3 },
		body: { detail: 'audio.voice_settings.speed must be between 0.7 and 1.2' },
		title: 'Speed: between 0.7 and 1.2',
	},
	{
		operation: 'Rerank',
		body: { error: 'The documents must not be longer than 4096 characters' },
		title: 'The document is too long for the server (5,000 of 4,096 characters)',
	},
	{
		operation: 'Generate Images',
		body: { detail: 'Number of images must be between 1 and 4' },
		title: 'Number of Images: between 1 and 4',
	},
])('$operation: $body', ({ operation, body, status, sent, title }) => {
	expect(explain(operation, body, { status, sent })?.message).toBe(title);
});

it.each<{ extraBody: JsonRecord; message: string; title: string }>([
	{
		extraBody: { tool_choice: 'nope' },
		message: 'Invalid tool_choice: nope',
		title: 'tool_choice (Extra Body): the server does not support "nope"',
	},
	{
		extraBody: { reasoning_format: 'nope' },
		message: 'Unknown reasoning format: nope',
		title: 'reasoning_format (Extra Body): the server does not support "nope"',
	},
	{
		extraBody: { best_of: 30 },
		message: 'Best of must be at most 20',
		title: 'best_of (Extra Body): at most 20',
	},
])('a field of Extra Body: $message', ({ extraBody, message, title }) => {
	expect(explain('Complete', { error: { message } }, { extraBody })?.message).toBe(title);
});

it.each<{ operation: string; message: string; reason: string }>([
	{ operation: 'Generate Images', message: 'Batch size must be at most 4', reason: 'another size' },
	{ operation: 'Generate Images', message: 'n is fine', reason: 'no limit' },
	{
		operation: 'Speak',
		message: 'Speed must be between 0.25 and 10',
		reason: 'the value keeps it',
	},
	{ operation: 'Speak', message: 'The input was rejected', reason: 'no demand' },
	{ operation: 'Speak', message: 'Unsupported codec: opus', reason: 'no word of a name' },
	{ operation: 'Transcribe', message: 'Unsupported file format: audio/wav', reason: 'no value' },
	{ operation: 'Embed', message: 'Unsupported model type: bert', reason: 'no field' },
])('$operation names no option, since $reason: $message', ({ operation, message }) => {
	expect(explain(operation, { error: { message } })).toBeUndefined();
});

test('what a visitor wrote is no sentence of the server', () => {
	const prompt = 'Speed must be between 1 and 2';
	expect(
		explain('Speak', { error: { message: `Cannot say "${prompt}"` } }, { sent: { input: prompt } }),
	).toBeUndefined();
});

test('any text has few subjects', () => {
	const text = 'the value of speed must be. '.repeat(500);
	const { rows, body } = OPERATIONS.Speak!;
	expect(findSentenceSubjects(text, { rows }, body).length).toBeLessThanOrEqual(40);
});
