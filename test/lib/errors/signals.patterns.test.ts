/** What the words of a model server mean, and which of its numbers are used. */
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { findTypeByText } from '../../../lib/errors/signals';
import { findTokenCounts } from '../../../lib/errors/token-counts';
import { readRows } from '../../support/files/rows';

const classify = (message: string, status = 400) =>
	classifyErrorResponse({ status, body: JSON.stringify({ error: { message } }) }, { model: 'm' });

interface Row {
	message: string;
	type: ErrorType;
	title?: RegExp;
	suggestion?: RegExp;
	not?: RegExp;
}

describe('tools that a model does not support', () => {
	test.each<Row>([
		{
			message:
				"litellm.UnsupportedParamsError: ollama does not support parameters: ['tools'], for model=llama2. To drop these, set `litellm.drop_params=True`",
			type: 'toolsUnsupported',
		},
		{
			message:
				"databricks does not support parameters: ['temperature', 'tools', 'tool_choice'], for model=x",
			type: 'toolsUnsupported',
		},
		{ message: 'This model does not support function calling.', type: 'toolsUnsupported' },
		{ message: 'Tool calling is not supported with this model', type: 'toolsUnsupported' },
		{ message: 'Unsupported parameter: tools', type: 'toolsUnsupported' },
		{ message: '"tools" are not enabled for this deployment', type: 'toolsUnsupported' },
		// Counter-examples
		{
			message: "ollama does not support parameters: ['top_k'], for model=llama2.",
			type: 'badRequest',
		},
		{ message: 'The tool "search" is not available for this user.', type: 'badRequest' },
		{ message: 'The parameter parallel_tool_calls is not supported.', type: 'badRequest' },
	])('the type is $type for the message: $message', ({ message, type }) => {
		expect(classify(message).type).toBe(type);
	});
});

describe('a model that takes none of a medium', () => {
	test.each<Row>([
		{
			message: 'At most 0 image(s) may be provided in one prompt.',
			type: 'modalityUnsupported',
			title: /image input/,
		},
		{
			message:
				'At most 0 audio(s) may be provided in one prompt. Set `--limit-mm-per-prompt` to increase this limit.',
			type: 'modalityUnsupported',
			title: /audio input/,
		},
		{
			message: 'You set video=3 in the prompt, but only 0 videos are allowed per prompt',
			type: 'modalityUnsupported',
			title: /video input/,
		},
		{ message: 'Too many images: maximum of 0 images, got 1', type: 'modalityUnsupported' },
		// Counter-examples
		{ message: 'At most 10 image(s) may be provided in one prompt.', type: 'tooManyFiles' },
		{ message: 'At most 1 image(s) may be provided in one prompt.', type: 'tooManyFiles' },
	])('the type is $type for the message: $message', ({ message, type, title = /./ }) => {
		const error = classify(message);
		expect([error.type, error.message]).toEqual([type, expect.stringMatching(title)]);
	});
});

describe('audio that a server cannot read', () => {
	test.each<Row>([
		{ message: 'failed to read audio data', type: 'fileUnreadable' },
		{ message: 'FFmpeg conversion failed.', type: 'fileUnreadable' },
		{ message: 'Failed to load audio: ffmpeg exited with code 1', type: 'fileUnreadable' },
		{ message: 'failed to open WAV file', type: 'fileUnreadable' },
		{ message: 'Could not decode audio', type: 'fileUnreadable' },
	])('the server cannot read the audio: $message', ({ message, type }) => {
		const error = classify(message);
		expect([error.type, error.message]).toEqual([type, 'The server cannot read the audio']);
		expect(error.suggestion).toMatch(/--convert.*ffmpeg/);
		expect(error.suggestion).not.toMatch(/JPEG|PNG/);
	});
	test.each<Row>([
		{ message: 'Failed to load image: unknown format', type: 'fileUnreadable', suggestion: /JPEG/ },
		{ message: 'The audio input is too long: 4000 seconds, maximum 1800', type: 'badRequest' },
	])('not: $message', ({ message, type, suggestion = /./ }) => {
		const error = classify(message);
		expect([error.type, error.suggestion]).toEqual([type, expect.stringMatching(suggestion)]);
		expect(error.suggestion).not.toContain('--convert');
	});
});

describe('a file that a server does not get from its URL', () => {
	test.each<{ message: string; status?: number }>([
		{ message: 'error: cannot make GET request', status: 500 },
		{ message: 'Failed to download image', status: 500 },
		{ message: 'file:// URLs are not allowed unless --media-path is specified' },
		{ message: "404, message='Not Found', url='https://example.com/a.png'" },
		{ message: 'Cannot load local files without `--allowed-local-media-path`.' },
		{ message: 'The URL must be either a HTTP, data or file URL.' },
		{
			message: "The URL must be from one of the allowed domains: ['example.com']. Input URL: x.com",
		},
		{
			message:
				'An exception occurred while loading multimodal data: 403 Client Error: Forbidden for url: https://example.com/a.png',
			status: 500,
		},
		{ message: 'Error while downloading https://example.com/a.png.' },
		{ message: 'Timeout while downloading https://example.com/a.png.' },
		{ message: 'Failed to fetch remote image' },
		{
			message:
				'litellm.ImageFetchError: Error: Unable to fetch image from URL. Status code: 403, url=https://example.com/a.png',
		},
		{ message: 'image URLs are not currently supported, please use base64 encoded data instead' },
		{ message: "'url' field must be a base64 encoded image." },
	])('the file is to be downloaded in the workflow: $message', ({ message, status }) => {
		const error = classify(message, status);
		expect([error.type, error.message]).toEqual([
			'fileUnreadable',
			'The server did not get a file from its URL',
		]);
		expect(error.suggestion).toMatch(/^Download the file in the workflow/);
		expect(error.suggestion).not.toMatch(/JPEG|--mmproj/);
	});
	test.each<Row>([
		{
			message: 'Failed to download image: maximum size of 20 MB exceeded',
			type: 'fileUnreadable',
			suggestion: /JPEG/,
		},
		{ message: 'Failed to decode image data', type: 'fileUnreadable', suggestion: /JPEG/ },
		{ message: 'Failed to fetch file of the model from the repository', type: 'badRequest' },
		{
			message: '404 Client Error: Not Found for url: http://127.0.0.1/models/x',
			type: 'badRequest',
		},
		{ message: 'The url must be a text', type: 'badRequest' },
	])('not: $message', ({ message, type, suggestion = /./ }) => {
		const error = classify(message);
		expect([error.type, error.suggestion]).toEqual([type, expect.stringMatching(suggestion)]);
		expect(error.message).not.toContain('from its URL');
	});
});

describe('what is wrong with a schema', () => {
	const LLAMA_SERVER =
		'Unable to generate parser for this template. Automatic parser generation failed: JSON schema error at ';
	test.each<{ message: string; issue: string }>([
		{ message: `${LLAMA_SERVER}#: unrecognized type money`, issue: 'unrecognized type money' },
		{
			message: `${LLAMA_SERVER}#/properties/a/items: unrecognized type money`,
			issue: 'unrecognized type money (at /properties/a/items)',
		},
		{
			message: `${LLAMA_SERVER}#/properties/a: minItems must be a non-negative integer`,
			issue: 'minItems must be a non-negative integer (at /properties/a)',
		},
		{
			message: `${LLAMA_SERVER}#/properties/a: unsupported $ref https://example.com/x.json, only references into the same document are supported`,
			issue:
				'unsupported $ref … only references into the same document are supported (at /properties/a)',
		},
		{
			message: 'JSON schema conversion failed:\nUnrecognized schema: {"description":"x"}',
			issue: 'Unrecognized schema: {"description":"x"}',
		},
		{
			message: 'Failed to compile json schema: unsupported keyword patternProperties',
			issue: 'unsupported keyword patternProperties',
		},
		{
			message: 'Grammar error: Unimplemented keys: ["propertyNames"]',
			issue: 'Unimplemented keys: ["propertyNames"]',
		},
	])('is named: $message', ({ message, issue }) => {
		const error = classify(message);
		expect([error.type, error.suggestion]).toEqual([
			'grammarRejected',
			`Correct or remove this in the JSON schema, or in that of a tool: ${issue}.`,
		]);
	});
	test.each([
		'Failed to initialize samplers: failed to parse grammar',
		'The provided JSON schema contains features not supported by xgrammar.',
		'invalid JSON schema in format',
		`${LLAMA_SERVER}#`,
	])('is not known: %s', (message) => {
		const error = classify(message);
		expect([error.type, error.suggestion]).toEqual([
			'grammarRejected',
			expect.stringMatching(/^Simplify the JSON schema/),
		]);
	});
});

describe('a prompt that is too long, whatever is counted and quoted', () => {
	test.each<Row>([
		{
			message:
				"You passed 123456 input characters and requested 4096 output tokens. However, the model's context length is only 8192 tokens, resulting in a maximum input length of 4096 tokens (at most 32768 characters).",
			type: 'promptTooLong',
			not: /123456/,
		},
		{
			message: 'The input has 90000 characters, which exceeds the context length of 8192 tokens',
			type: 'promptTooLong',
			not: /90000/,
		},
		{
			message: 'Your request contains 7000 words, more than the context window of 4096 tokens',
			type: 'promptTooLong',
			not: /7000/,
		},
		{ message: "'max_tokens' must be at least 1, got -186.", type: 'promptTooLong' },
		{ message: '`max_completion_tokens` must be at least 1, got -186.', type: 'promptTooLong' },
		{ message: 'max_tokens must be greater than or equal to 1, got -12', type: 'promptTooLong' },
		{ message: '"max_new_tokens" must be >= 1, got -3', type: 'promptTooLong' },
		// Counter-examples
		{ message: 'max_tokens must be at least 1, got 0.', type: 'badRequest' },
		{
			message: 'The name has 90 characters, which exceeds the maximum length of 64',
			type: 'badRequest',
		},
	])('the type is $type for the message: $message', ({ message, type, not = /^$/ }) => {
		const error = classify(message);
		expect(error.type).toBe(type);
		expect(error.message).not.toMatch(not);
	});

	test.each([
		{
			message:
				"This model's maximum context length is 8192 tokens. However, you requested 8204 tokens (12 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
			counts: { promptTokens: 12, contextTokens: 8192, responseTokens: 8192 },
		},
		{
			message:
				"max_tokens or max_completion_tokens is too large: 8192. This model's maximum context length is 8192 tokens and your request has 12 input tokens (8192 > 8192 - 12).",
			counts: { promptTokens: 12, contextTokens: 8192, responseTokens: 8192 },
		},
		{
			message:
				"Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total of 36029 tokens: 32029 tokens from the input messages and 4000 tokens for the completion.",
			counts: { promptTokens: 32029, contextTokens: 32768, responseTokens: 4000 },
		},
		{
			message:
				"This model's maximum context length is 4097 tokens, however you requested 10016 tokens (16 in your prompt; 10000 for the completion).",
			counts: { promptTokens: 16, contextTokens: 4097, responseTokens: 10000 },
		},
		{
			message:
				'`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 1024 `max_new_tokens`',
			counts: { promptTokens: 5000, contextTokens: 4096, responseTokens: 1024 },
		},
		{
			message:
				'input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000, decrease input length',
			counts: { promptTokens: 199759, contextTokens: 200000, responseTokens: 8192 },
		},
		{
			message: 'Requested tokens (5021) exceed context window of 4096',
			counts: { promptTokens: 5021, contextTokens: 4096 },
		},
		{
			message:
				'You passed 123456 input characters and requested 4096 output tokens. However, the context length is only 8192 tokens',
			counts: { contextTokens: 8192, responseTokens: 4096 },
		},
	])('the numbers of: $message', ({ message, counts }) => {
		expect(findTokenCounts(message)).toEqual(counts);
	});

	test.each([
		"This model's maximum context length is 8192 tokens. However, you requested 8204 tokens (12 in the messages, 8192 in the completion).",
		"max_tokens or max_completion_tokens is too large: 8192. This model's maximum context length is 8192 tokens and your request has 12 input tokens (8192 > 8192 - 12).",
		"This model's maximum context length is 8192 tokens, however you requested 8204 tokens (12 in your prompt; 8192 for the completion).",
	])('a response that does not fit: %s', (message) => {
		const error = classify(message);
		expect(error.message).toBe(
			'A prompt of 12 tokens and a response of 8192 tokens (Maximum Tokens) exceed the context of 8192 tokens',
		);
		expect(error.suggestion).toBe('Lower Maximum Tokens to at most 8180.');
	});
});

test("slot is llama-server's word only", () => {
	const message =
		"The input (41253 tokens) is longer than the model's context length (32768 tokens).";
	expect(classify(message).message).toBe(
		'The prompt needs 41253 tokens, but the context has 32768',
	);
	const own = {
		error: { message: 'too long', type: 'exceed_context_size_error', n_prompt_tokens: 9, n_ctx: 4 },
	};
	expect(classifyErrorResponse({ status: 400, body: JSON.stringify(own) }, {}).message).toBe(
		'The prompt needs 9 tokens, but a server slot has 4',
	);
});

test.each([402, 409, 418, 423, 451])(
	'status %i alone gives no advice but to read the details',
	(status) => {
		const { suggestion } = classify('The tenant is closed.', status);
		expect(suggestion).toBe('The details contain the server message.');
	},
);

describe('no pattern depends on quotation marks', () => {
	const messages = readRows(`${__dirname}/messages.tsv`)
		.filter(
			([, , , message = '', echo]) => echo === undefined && /(['"`])\w[\w.-]{0,40}\1/.test(message),
		)
		.map(([, , , message = '']) => message);
	test.each(messages)('the type is the same with other quotation marks: %s', (message) => {
		const types = ["'", '"', '`', ''].map((mark) =>
			findTypeByText(message.replace(/(['"`])(\w[\w.-]{0,40})\1/g, `${mark}$2${mark}`)),
		);
		expect(types).toEqual(types.map(() => findTypeByText(message)));
	});
});
