import { mayBeAboutOneText } from '../../../lib/servers/text-refusals';
import { connectTo } from '../../../lib/servers/connect';
import { closeChannels } from '../../../lib/http/dispatcher';
import { MAX_PICTURES_BYTES } from '../../../lib/http/answer';
import { buffer, zlib } from '../../support/node';
import { closeRawServers, rawServer, whole } from '../../support/raw-answers';
import { failureOf } from './client';

afterEach(async () => {
	await closeChannels();
	await closeRawServers();
});

/** What comes back, or the error. */
async function called(baseUrl: string, options: { timeoutMs?: number; maxBytes?: number } = {}) {
	const connection = connectTo({ baseUrl });
	return await connection.call(`${baseUrl}/v1/models`, {
		once: true,
		timeoutMs: 30_000,
		...options,
	});
}

describe('answers of odd servers and proxies', () => {
	const LIST = '{"object":"list","data":[]}';

	test.each([
		[
			'HTTP/1.0, without a length',
			`HTTP/1.0 200 OK\r\ncontent-TYPE: application/json\r\n\r\n${LIST}`,
		],
		[
			'chunked, with trailers',
			`HTTP/1.1 200 OK\r\nTrailer: X-A\r\ntransfer-ENCODING: chunked\r\n\r\n${LIST.length.toString(16)}\r\n${LIST}\r\n0\r\nX-A: b\r\n\r\n`,
		],
		[
			'after early hints',
			`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${LIST.length}\r\n\r\n${LIST}`,
		],
		[
			'longer than its length',
			`HTTP/1.1 200 OK\r\nContent-Length: ${LIST.length}\r\n\r\n${LIST}and more`,
		],
	])('%s', async (_name, bytes) => {
		const url = await rawServer((_path, socket) => void socket.end(bytes));
		expect(await called(url)).toMatchObject({ status: 200, json: { object: 'list' } });
	});

	test('shorter than its length', async () => {
		const url = await rawServer(
			(_path, socket) => void socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${LIST}`),
		);
		expect(await failureOf(async () => await called(url))).toMatchObject({
			kind: 'connectionLost',
		});
	});

	test('compression is named in capital letters', async () => {
		const url = await rawServer(
			whole('200 OK', zlib.gzipSync(LIST), { 'Content-Encoding': ' GZIP' }),
		);
		expect(await called(url)).toMatchObject({ json: { object: 'list' } });
	});

	test.each(['gzip', 'deflate'])(
		'an empty error answer that is labelled %s stays that error',
		async (encoding) => {
			const url = await rawServer(whole('502 Bad Gateway', '', { 'Content-Encoding': encoding }));
			expect(await called(url)).toMatchObject({ status: 502, text: '' });
		},
	);

	test('headers larger than any server needs', async () => {
		const url = await rawServer(whole('200 OK', LIST, { 'X-Large': 'a'.repeat(70_000) }));
		const failed = await failureOf(async () => await called(url));
		expect(failed).toMatchObject({ kind: 'invalidAnswer', code: 'UND_ERR_HEADERS_OVERFLOW' });
	});

	test('an answer without end is given up before it fills the memory', async () => {
		let sent = 0;
		const url = await rawServer((_path, socket) => {
			socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
			const push = () => {
				while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 97))) sent += 65_536;
			};
			socket.on('drain', push);
			push();
		});
		const failed = await failureOf(async () => await called(url, { maxBytes: 2 ** 20 }));
		expect(failed!.kind).toBe('invalidAnswer');
		expect(failed!.message).toBe('The answer has more than 1 MB, so it was not read further');
		// So batches are not halved, and no text of one is named.
		expect(mayBeAboutOneText(failed!)).toBe(false);
		expect(sent).toBeLessThan(40_000_000);
	});

	test('an answer of ten megabytes arrives', async () => {
		const url = await rawServer(whole('200 OK', JSON.stringify({ data: 'x'.repeat(10_000_000) })));
		expect((await called(url)).text).toHaveLength(10_000_011);
	});

	test.each([
		['headers and nothing more', ''],
		['a byte now and then', '{'],
	])('%s: the limit holds, and the error says that the answer began', async (_name, first) => {
		const url = await rawServer(
			(_path, socket) =>
				void socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${first}`),
		);
		const failed = await failureOf(async () => await called(url, { timeoutMs: 900 }));
		expect(failed).toMatchObject({ kind: 'totalLimit', facts: { answerBegan: true } });
		expect(failed!.message).toContain('The answer began, but did not end within 900 ms');
	});

	test('no answer at all is told apart', async () => {
		const url = await rawServer(() => {});
		const failed = await failureOf(async () => await called(url, { timeoutMs: 100 }));
		expect(failed!.message).toContain('No answer within 100 ms');
		expect(failed!.facts).toEqual({});
	});

	test('the Content-Encoding header is read from the wire', async () => {
		const url = await rawServer(
			whole('401 Unauthorized', '', { 'WWW-Authenticate': 'Basic realm="ai"' }),
		);
		const connection = connectTo({ baseUrl: url });
		expect(connection.refusal(await called(url)).message).toContain(
			'wants a user name and a password',
		);
	});
});

test.each([
	['a page', '{"data":[]}\n<html>', { data: [] }],
	['noise', '{"data":[]}\u0000\ufffd', { data: [] }],
	['another value', '{"data":[]}\n{"data":[1]}', undefined],
	['a value cut', '{"data":[', undefined],
])('JSON with something behind it: %s', async (_name, body, json) => {
	const url = await rawServer(whole('200 OK', body));
	expect((await called(url)).json).toEqual(json);
});

test('pictures that are too long are told as that: their limit is below the longest string', () => {
	expect(MAX_PICTURES_BYTES).toBeLessThan(buffer.constants.MAX_STRING_LENGTH);
});
