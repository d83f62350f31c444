import * as fc from 'fast-check';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { findTokenCounts, removeEchoes, toTitle } from '../../../lib/errors/signals';
import { readCases, readRows } from '../../support/rows';

const rows = readRows('test/lib/errors/messages.tsv').map(
	(cells) => [...cells, ''].slice(0, 5) as [string, string, string, string, string],
);

test.each(rows)('%s, %s: %s: %s', (type, status, _server, message, requestText) => {
	const error = classifyErrorResponse(
		{
			status: Number(status),
			body: JSON.stringify({ error: { message } }),
			getRequestTexts: () => [requestText],
		},
		{ model: 'm' },
	);
	expect(error.type).toBe(type);
});

test.each([
	['You passed 27905 input tokens, and the context length is only 32000 tokens', 27905, 32000],
	['Requested tokens (5021) exceed context window of 4096', 5021, 4096],
	['prompt is too long: 210,000 tokens > 200,000 maximum', 210_000, 200_000],
	['prompt too long; exceeded max context length by 100918 tokens', undefined, undefined],
	['exceed context limit: 199759 + 8192 > 200000', 199_759, 200_000],
	['llama3.2 at 10.0.0.5: the prompt has 9000 tokens, the limit is 8192', 9000, 8192],
])('the numbers of: %s', (message, promptTokens, contextTokens) => {
	expect(findTokenCounts(message)).toEqual(
		JSON.parse(JSON.stringify({ promptTokens, contextTokens })),
	);
});

test.each([
	['an empty body', 400, ''],
	['a status phrase', 500, 'Internal Server Error'],
	['a status phrase in JSON', 400, '{"detail":"Bad Request"}'],
	['no text', 422, '{}'],
])('%s gives no reason', (_name, status, body) => {
	expect(classifyErrorResponse({ status, body }, {}).message).toContain(`status ${status}`);
});

test.each([
	['unauthorized words of the server', 418, 'This deployment has been archived by its owner.'],
	['a sentence', 400, 'Two engines are on fire. Please leave.'],
])('%s are the title', (_name, status, message) => {
	const error = classifyErrorResponse({ status, body: JSON.stringify({ error: { message } }) }, {});
	expect(message.slice(0, error.message.length)).toBe(error.message);
	expect(error.serverText).toBe(message);
});

test.each([
	["Field 'n': type must be number\n\nLiteLLM: model group 'a' failed with the error above."],
	["litellm.BadRequestError: OpenAIException - Field 'n': type must be number\n \nmore"],
	["\n------\n\nField 'n': type must be number"],
])('the title is the first paragraph with a word: %j', (message) => {
	const error = classifyErrorResponse(
		{ status: 400, body: JSON.stringify({ detail: message }) },
		{},
	);
	expect(error.message).toBe("Field 'n': type must be number");
});

test('a stretch of 24 characters of the request is removed, a shorter one stays', () => {
	const echo = 'x'.repeat(10) + ' out of memory ';
	expect(removeEchoes(`Invalid: ${echo}!`, [echo])).toBe('Invalid: !');
	expect(removeEchoes('CUDA out of memory', ['I am out of memory'])).toBe('CUDA out of memory');
});

test('what was removed had been in the request', () => {
	fc.assert(
		fc.property(fc.string({ maxLength: 80 }), fc.string({ maxLength: 80 }), (request, rest) => {
			const message = rest + request + rest;
			const kept = removeEchoes(message, [request]);
			expect(kept.length).toBeGreaterThanOrEqual(Math.min(message.length, 2 * rest.length) - 48);
			expect(removeEchoes(message, [])).toBe(message);
		}),
	);
});

const SENTENCE = 'The tenant is closed.';
test.each(readCases<[string, number, unknown]>('test/lib/errors/message-places.tsv'))(
	'the message of %s, with status %d',
	(_name, status, body) => {
		const error = classifyErrorResponse({ status, body: JSON.stringify(body) }, {});
		expect(error).toMatchObject({ message: 'The tenant is closed', serverText: SENTENCE });
		expect(error.type).toBe(status === 200 ? 'serverError' : 'badRequest');
	},
);

test('the message of an upstream server behind a gateway', () => {
	const raw = JSON.stringify({ error: { message: SENTENCE } });
	const error = { message: 'Provider returned error', code: 400, metadata: { raw } };
	const { serverText } = classifyErrorResponse(
		{ status: 400, body: JSON.stringify({ error }) },
		{},
	);
	expect(serverText).toBe(SENTENCE);
});

test('a body of many levels or entries is read up to a limit', () => {
	const body = `${'{"error":'.repeat(400)}"x"${'}'.repeat(400)}`;
	expect(classifyErrorResponse({ status: 400, body }, {}).serverText!.length).toBeLessThan(4_001);
	const list = JSON.stringify({ errors: Array.from({ length: 50_000 }, () => ({ message: 'x' })) });
	expect(classifyErrorResponse({ status: 400, body: list }, {}).type).toBe('badRequest');
});

test.each(readCases<[string, string]>('test/lib/errors/titles.tsv'))('%j', (message, title) => {
	expect(toTitle(message)).toBe(title);
});

test('a title has at most 120 characters', () => {
	expect([...toTitle('word '.repeat(100))]).toHaveLength(120);
});
