import { classifyErrorResponse } from '../../../lib/errors/classify-error';

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
interface MessagePlace {
	/** Whose form it is. */
	server: string;
	status: number;
	body: unknown;
}

test.each<MessagePlace>([
	{
		server: 'FastAPI with the error of another server',
		status: 400,
		body: { detail: { error: { message: SENTENCE, code: '500' } } },
	},
	{ server: 'KoboldCpp', status: 400, body: { detail: { msg: SENTENCE, type: 'service' } } },
	{ server: 'vllm-ascend', status: 400, body: { msg: SENTENCE } },
	{
		server: "Google's gateways",
		status: 400,
		body: [{ error: { code: 400, message: SENTENCE, status: 'INVALID_ARGUMENT' } }],
	},
	{
		server: 'Cloudflare',
		status: 400,
		body: { success: false, errors: [{ code: 7003, message: SENTENCE }], messages: [] },
	},
	{ server: 'RFC 9457', status: 400, body: { type: 'about:blank', title: SENTENCE, status: 409 } },
	{ server: 'OAuth', status: 400, body: { error: 'invalid_grant', error_description: SENTENCE } },
	{ server: 'a list of texts', status: 400, body: { errors: [SENTENCE] } },
	{ server: 'a reason', status: 400, body: { error: { reason: SENTENCE } } },
	{ server: 'a text', status: 400, body: SENTENCE },
	{ server: '.NET', status: 400, body: { ErrorMessage: SENTENCE, ErrorCode: 5 } },
	{ server: 'One API', status: 200, body: { success: false, message: SENTENCE } },
	{ server: 'a code', status: 200, body: { code: 50001, msg: SENTENCE, data: null } },
	{ server: 'another code', status: 200, body: { error_code: 17, error_msg: SENTENCE } },
])('the message of $server is read from a response with status $status', ({ status, body }) => {
	const input = JSON.stringify(body);
	const { type, message, serverText } = classifyErrorResponse({ status, body: input }, {});
	expect({ input, type, message, serverText }).toEqual({
		input,
		type: status === 200 ? 'serverError' : 'badRequest',
		message: 'The tenant is closed',
		serverText: SENTENCE,
	});
});

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
