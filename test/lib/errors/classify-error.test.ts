import fc from 'fast-check';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { errorInStream } from '../../support/servers/stream-error';
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

test('a page that repeats its title as a heading is quoted once', () => {
	const body =
		'<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><hr>nginx/1.27.0</html>';
	expect(classifyErrorResponse({ status: 502, body }, context).serverText).toBe(
		'502 Bad Gateway nginx/1.27.0',
	);
});

test('secrets in the server message are masked', () => {
	const key = ['sk', '9f8e7d6c5b4a3210'].join('-');
	const body = JSON.stringify(openAi(`key ${key} is unknown`, { given: key }));
	const failed = classifyErrorResponse({ status: 401, body }, { ...context, secrets: [key] });
	expect(JSON.stringify({ ...failed, message: failed.message })).not.toContain(key);
});

test.each([
	['by a code', { code: 'context_length_exceeded' }],
	['by the type of llama-server', { type: 'exceed_context_size_error' }],
	['by the field of vLLM', { param: 'input_tokens' }],
	['by its counts', { n_ctx: 8, n_prompt_tokens: 9 }],
])('a prompt that is too long is one %s, for the advice and for the repetition', (_title, more) => {
	const body = JSON.stringify(openAi('Zxq vlm', more));
	const { type, report } = classifyErrorResponse({ status: 400, body }, context);
	expect({ type, report }).toMatchObject({ type: 'promptTooLong', report: { isOfContext: true } });
});

test.each([
	{ place: 'before output', code: undefined, isAfterOutput: false, status: 400 },
	{ place: 'before output', code: 400, isAfterOutput: false, status: 400 },
	{ place: 'before output', code: 404, isAfterOutput: false, status: 404 },
	{ place: 'before output', code: 422, isAfterOutput: false, status: 422 },
	{ place: 'before output', code: 500, isAfterOutput: false, status: 200 },
	{ place: 'before output', code: 405, isAfterOutput: false, status: 200 },
	{ place: 'after output', code: 400, isAfterOutput: true, status: 200 },
	{ place: 'after output', code: undefined, isAfterOutput: true, status: 200 },
])('an error with the code $code inside of a response, $place, counts as $status', (row) => {
	const body = JSON.stringify(openAi('Zxq vlm', { code: row.code }));
	const { isAfterOutput } = row;
	const { report } = classifyErrorResponse({ status: 200, body, isAfterOutput }, context);
	expect(report).toMatchObject({ status: row.status, isInside: true });
});

test('an overloaded server is busy, and no gateway is blamed', () => {
	const body = JSON.stringify(openAi('Overloaded'));
	const { type, message } = classifyErrorResponse({ status: 529, body }, context);
	expect({ type, message }).toEqual({ type: 'busy', message: 'Overloaded' });
});

test('an error in a stream has the same type as an error response', () => {
	expect(errorInStream('{"error":{"message":"Loading model","code":503}}').type).toBe(
		'modelLoading',
	);
	expect(errorInStream('{"error":"boom"}').type).toBe('streamError');
	expect(isErrorResponse({ status: 200, json: { error: {} } })).toBe(false);
});

test('any response results in an error with a title, and with a suggestion unless the title is all that the server said', () => {
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
			expect({
				suggestion: failed.suggestion,
				isWholeMessage: failed.known.isWholeMessage === true,
			}).not.toEqual({ suggestion: '', isWholeMessage: false });
		}),
	);
});
