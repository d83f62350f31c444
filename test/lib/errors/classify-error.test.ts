import fc from 'fast-check';
import { classifyErrorResponse, classifyStreamError } from '../../../lib/errors/classify-error';
import { isErrorResponse } from '../../../lib/errors/error-body';
import { ERROR_TYPE_CASES } from './classify-error.cases';

const context = {
	url: 'http://host:9931/v1/chat/completions',
	root: 'http://host:9931',
	model: 'qwen3-8b',
};
const openAi = (message: string, more: object = {}) => ({ error: { message, ...more } });

test.each(
	ERROR_TYPE_CASES.map(({ type, status, body }) => ({
		type,
		status,
		text: typeof body === 'string' ? body : JSON.stringify(body),
	})),
)('status $status with the body "$text" is an error of type $type', ({ type, status, text }) => {
	expect(classifyErrorResponse({ status, body: text }, context).type).toBe(type);
});

test('token counts are in the title', () => {
	const body = JSON.stringify(
		openAi('too much', { type: 'exceed_context_size_error', n_prompt_tokens: 5000, n_ctx: 4096 }),
	);
	expect(classifyErrorResponse({ status: 400, body }, context).message).toContain(
		'needs 5000 tokens',
	);
});

test('a page that repeats its title as a heading is quoted once', () => {
	const body =
		'<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><hr>nginx/1.27.0</html>';
	expect(classifyErrorResponse({ status: 502, body }, context).serverText).toBe(
		'502 Bad Gateway nginx/1.27.0',
	);
});

test('the message of a chat template comes first', () => {
	const body = JSON.stringify(
		openAi('Unable to generate parser for this template. Error: Jinja Exception: No tools here'),
	);
	expect(classifyErrorResponse({ status: 500, body }, context).serverText).toMatch(
		/^No tools here — Unable/,
	);
});

test('secrets in the server message are masked', () => {
	const key = ['sk', '9f8e7d6c5b4a3210'].join('-');
	const body = JSON.stringify(openAi(`key ${key} is unknown`, { given: key }));
	const failed = classifyErrorResponse({ status: 401, body }, { ...context, secrets: [key] });
	expect(JSON.stringify({ ...failed, message: failed.message })).not.toContain(key);
});

test('an error in a stream has the same type as an error response', () => {
	expect(classifyStreamError('{"error":{"message":"Loading model","code":503}}').type).toBe(
		'modelLoading',
	);
	expect(classifyStreamError('{"error":"boom"}').type).toBe('streamError');
	expect(isErrorResponse({ status: 200, json: { error: {} } })).toBe(false);
});

test('any response results in an error with a title and a suggestion', () => {
	const body = fc.oneof(
		fc.string(),
		fc.json(),
		fc.object().map((value) => JSON.stringify({ error: value })),
	);
	const headers = fc.dictionary(
		fc.constantFrom('content-type', 'www-authenticate', 'retry-after'),
		fc.string(),
	);
	fc.assert(
		fc.property(body, headers, fc.integer({ min: 200, max: 599 }), (text, headers, status) => {
			const failed = classifyErrorResponse({ status, headers: headers, body: text }, context);
			expect(failed.message).not.toBe('');
			expect(failed.suggestion).not.toBe('');
		}),
	);
});

/** What a sentence says, in title and suggestion. */
test.each([
	[400, "'audio input' is not supported - hint: provide the mmproj", /support audio input$/, /./],
	[400, 'Model does not support images. Please use another.', /support image input$/, /./],
	[400, 'At most 0 video(s) may be provided in one prompt.', /support video input$/, /./],
	[404, 'No endpoints found that support input audio', /support audio input$/, /./],
	[400, 'qwen is not a multimodal model', /support image or audio input$/, /./],
	[400, 'This model does not support image or audio input', /support image or audio input$/, /./],
	[
		403,
		"key not allowed to access model. This key can only access models=['a']",
		/^The API key has no access to the model "qwen3-8b"$/,
		/allow this one for the key/,
	],
	[403, 'Project `p` does not have access to model `m`', /^The API key has no access/, /./],
	[403, '该令牌无权访问模型：qwen3', /^The API key has no access/, /./],
	[404, 'The model `m` does not exist.', /^The server does not have the model "qwen3-8b"$/, /list/],
	[
		500,
		'litellm.APIConnectionError: Ollama_chatException - Cannot connect to host localhost:11434 ssl:default',
		/^LiteLLM does not reach the server of the model "qwen3-8b"$/,
		/api_base/,
	],
	[
		500,
		'litellm.InternalServerError: Hosted_vllmException - Cannot connect to host 127.0.0.1:9',
		/^LiteLLM does not reach the server/,
		/api_base/,
	],
	[500, 'dial tcp 127.0.0.1:9: connect: connection refused', /^The server does not reach/, /again/],
	[
		429,
		'No deployments available for selected model, Try again in 5 seconds.',
		/^No instance of the model/,
		/pauses/,
	],
	[503, 'No running instances available', /^No instance of the model/, /GPUStack/],
	[
		400,
		'Unexpected token 200012 while expecting start token 200006',
		/^The server could not parse the model output/,
		/update the server/,
	],
])(
	'the title and the suggestion for status %i and the message %s',
	(status, message, title, suggestion) => {
		const error = classifyErrorResponse({ status, body: JSON.stringify(openAi(message)) }, context);
		expect(error.message).toMatch(title);
		expect(error.suggestion).toMatch(suggestion);
	},
);

test.each([
	[
		"<html><body><h1>408 Request Time-out</h1>\nYour browser didn't send a complete request in time.\n</body></html>",
		/waited too long for the whole request$/,
	],
	[
		'<html><head><title>408 Request Time-out</title></head><body><center>nginx/1.27</center></body></html>',
		/^nginx waited too long for the whole request$/,
	],
	['', /waited too long for the whole request$/],
	['Request Timeout', /waited too long for the whole request$/],
	['{"error":{"message":"litellm.Timeout: Timeout passed=600.0"}}', /^LiteLLM stopped waiting/],
	[
		'{"error":{"code":"Timeout","message":"The operation was timeout."}}',
		/stopped waiting for the model server$/,
	],
	['upstream request timeout', /stopped waiting for the model server$/],
])('the title for a page with status 408: %s', (body, title) => {
	expect(classifyErrorResponse({ status: 408, body }, context).message).toMatch(title);
});
