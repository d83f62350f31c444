import { classifyErrorResponse } from '../../../lib/errors/classify-error';
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
