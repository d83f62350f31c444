/** Bodies of errors in unusual forms. */
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { errorInStream } from '../../support/servers/stream-error';
import { isErrorResponse, parseErrorBody } from '../../../lib/errors/error-body';

const MESSAGE = "The input (9000 tokens) is longer than the model's context length (8192 tokens).";
const BODY = JSON.stringify({ error: { message: MESSAGE } });
/** As it arrives if it is read as UTF-8. */
const readAsUtf8 = (text: string, mark: Buffer, encode: (text: string) => Buffer) =>
	Buffer.concat([mark, encode(text)]).toString('utf8');
const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16();
const littleEndian = (text: string) => Buffer.from(text, 'utf16le');

test.each([
	['UTF-8 with a mark', `\uFEFF${BODY}`],
	['UTF-16, little endian', readAsUtf8(BODY, Buffer.from([0xff, 0xfe]), littleEndian)],
	['UTF-16, big endian', readAsUtf8(BODY, Buffer.from([0xfe, 0xff]), bigEndian)],
	['UTF-16 without a mark', readAsUtf8(BODY, Buffer.of(), littleEndian)],
	['JSON in JSON', JSON.stringify(BODY)],
	['blanks before', `\r\n  ${BODY}`],
	['a list', `[${BODY}]`],
])('an error is read from %s', (_name, body) => {
	const error = classifyErrorResponse({ status: 400, body }, {});
	expect([error.type, error.message]).toEqual([
		'promptTooLong',
		"The input (9000 tokens) is longer than the model's context length (8192 tokens)",
	]);
});

test.each([
	['nothing', 500, '', 'serverError'],
	['blanks', 502, ' \n', 'badGateway'],
	['an empty page', 503, '<html></html>', 'badGateway'],
	['a megabyte of text', 500, 'x '.repeat(500_000), 'serverError'],
	['a megabyte of JSON', 400, JSON.stringify({ error: 'y'.repeat(1_000_000) }), 'badRequest'],
	['a megabyte as a page', 504, `<html>${'z'.repeat(1_000_000)}</html>`, 'gatewayTimeout'],
	[
		'a megabyte before the message',
		400,
		JSON.stringify({ a: 'z'.repeat(1_000_000), error: { message: MESSAGE } }),
		'promptTooLong',
	],
	['Chinese', 500, JSON.stringify({ error: { message: '服务器内部错误' } }), 'serverError'],
	['Arabic', 400, JSON.stringify({ detail: 'طلب غير صالح' }), 'badRequest'],
	['Russian, as a page', 502, '<html><title>Ошибка шлюза</title></html>', 'badGateway'],
	['Japanese, as text', 504, 'ゲートウェイ', 'gatewayTimeout'],
])('an error is made of %s, with status %i', (_name, status, body, type) => {
	const error = classifyErrorResponse({ status, body }, { model: 'm' });
	expect(error.type).toBe(type);
	expect(error.message.length).toBeGreaterThan(5);
	expect(error.message.length).toBeLessThan(200);
	expect({
		suggestion: error.suggestion,
		isWholeMessage: error.known.isWholeMessage === true,
	}).not.toEqual({ suggestion: '', isWholeMessage: false });
	expect((error.serverText ?? '').length).toBeLessThan(4_001);
});

test.each([
	{ issue: { loc: ['body', 'n'], msg: 'too large' }, text: 'body.n: too large' },
	{ issue: { path: ['n', 0], message: 'too large' }, text: 'n.0: too large' },
	{ issue: { path: [], field: 'n', message: 'too large' }, text: 'n: too large' },
	{ issue: { field: 'n', message: 'too large' }, text: 'n: too large' },
	{ issue: { path: [], field: '', message: 'too large' }, text: 'too large' },
])('an issue names its place, if it has one: $issue', ({ issue, text }) => {
	const body = JSON.stringify({ errors: [issue] });
	expect(parseErrorBody(body)?.message).toBe(text);
});

test('an error inside a 200, before and after other events, is the same', () => {
	expect(isErrorResponse({ status: 200, json: JSON.parse(BODY) })).toBe(true);
	const inResponse = classifyErrorResponse({ status: 200, body: BODY }, {});
	const inStream = errorInStream(BODY);
	for (const error of [inResponse, inStream])
		expect([error.type, error.facts.n_prompt_tokens, error.facts.n_ctx]).toEqual([
			'promptTooLong',
			9000,
			8192,
		]);
});

/** An exception of FastAPI that a server returned as a response (GPUStack's vox-box), in other forms of other servers. */
test.each([
	{ body: { status_code: 400, detail: 'Speed is too high', headers: null }, status: 400 },
	{ body: { status_code: 422, detail: { message: 'Speed is too high' } }, status: 422 },
	{ body: { error: { status_code: 400, message: 'Speed is too high' } }, status: 400 },
	{ body: { code: 400, message: 'Speed is too high' }, status: 400 },
])('the status inside a 200 counts: $body', ({ body, status }) => {
	const error = classifyErrorResponse({ status: 200, body: JSON.stringify(body) }, {});
	expect(error).toMatchObject({ type: 'badRequest', status, message: 'Speed is too high' });
});

test.each([
	{ body: { status_code: 200, detail: 'Speed is too high' } },
	{ body: { status_code: 'x', detail: 'Speed is too high' } },
])('what is no status of an error does not count: $body', ({ body }) => {
	const error = classifyErrorResponse({ status: 200, body: JSON.stringify(body) }, {});
	expect(error.type).toBe('serverError');
});

test.each([
	{ body: { error: { message: 'Too short', param: 'input' } }, param: 'input' },
	{ body: { message: 'Too short', param: 'input', code: 400, type: 'x' }, param: 'input' },
	{ body: { message: 'Too short', param: null, other: 1 }, param: undefined },
])('the field beside a message is known: $body', ({ body, param }) => {
	const { facts } = classifyErrorResponse({ status: 400, body: JSON.stringify(body) }, {});
	expect(facts).toEqual(param === undefined ? {} : expect.objectContaining({ param }));
});

test.each([
	{
		body: { detail: { error: 'model_not_found', message: 'Unsupported: x' } },
		type: 'modelNotFound',
	},
	{
		body: { error: { code: 'model_not_found', message: 'Unsupported: x' } },
		type: 'modelNotFound',
	},
	{ body: { error: 'model_not_found', message: 'Unsupported: x' }, type: 'modelNotFound' },
	{
		body: { detail: { error: 'validation_error', message: 'Unsupported: x' } },
		type: 'badRequest',
	},
])('a code in the place of the error is one: $body', ({ body, type }) => {
	expect(classifyErrorResponse({ status: 400, body: JSON.stringify(body) }, {}).type).toBe(type);
});

test.each([
	{ body: { code: 'upstream_error', message: 'The disk is full' }, isError: true },
	{ body: { code: 'InternalError', message: 'The disk is full', request_id: 'a' }, isError: true },
	{ body: { code: 'invalid_request', msg: 'The disk is full' }, isError: true },
	// No error: without a message, with output, or with another code
	{ body: { code: 'upstream_error' }, isError: false },
	{ body: { code: 'upstream_error', message: 'x', choices: [] }, isError: false },
	{ body: { code: 'ok', message: 'The disk is full' }, isError: false },
	{ body: { code: 'terror', message: 'The disk is full' }, isError: false },
	{ body: { code: 'def error(): pass', message: 'The disk is full' }, isError: false },
])('a name of an error with a message is one: $body', ({ body, isError }) => {
	expect(isErrorResponse({ status: 200, json: body })).toBe(isError);
	if (isError) expect(errorInStream(JSON.stringify(body)).message).toBe('The disk is full');
});

test.each([
	{
		form: 'an object',
		body: { error: { message: 'The tenant is closed', input: 'x'.repeat(99) } },
	},
	{ form: 'issues', body: { detail: [{ msg: 'The tenant is closed', input: 'x'.repeat(99) }] } },
])('a body whose end was not read: $form', ({ body }) => {
	const text = JSON.stringify(body).slice(0, 80);
	expect(parseErrorBody(text)).toMatchObject({ form: 'json', message: 'The tenant is closed' });
});

test('the beginning of a response is no error', () => {
	expect(parseErrorBody('{"choices": [{"text": "The tenant is').form).toBe('text');
});
