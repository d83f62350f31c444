import { closeChannels, useChannel } from '../../../lib/http/dispatcher';
import { exchange } from '../../../lib/http/exchange';
import { delay, setTimeout } from '../../support/node';
import { closeRawServers, rawServer } from '../../support/raw-answers';

afterEach(async () => {
	await closeChannels();
	await closeRawServers();
});

const get = async (origin: string) => {
	const { fresh, release } = useChannel({ origin, scope: 'test', ignoreSslIssues: true });
	const { signal } = new AbortController();
	const answer = await exchange(`${origin}/`, {
		dispatcher: fresh,
		method: 'GET',
		headers: {},
		signal,
		reset: true,
	});
	release();
	return answer.body;
};

describe('a connection that breaks while it is paused', () => {
	const OVER_FULL = 300 * 1024;
	const HEADS = {
		'a length': `content-length: ${2 * OVER_FULL}\r\n\r\n`,
		'no length': '\r\n',
		chunks: `transfer-encoding: chunked\r\n\r\n${OVER_FULL.toString(16)}\r\n`,
	};

	test.each(
		Object.entries(HEADS).flatMap(([name, head]) => [
			[name, 'is reset', head, true] as const,
			[name, 'ends', head, false] as const,
		]),
	)('with %s, when it %s: the reader is told, and nothing is thrown elsewhere', async (_n, _h, head, isReset) => {
		const origin = await rawServer((_path, socket) => {
			socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n${head}`);
			socket.write(new Uint8Array(OVER_FULL).fill(97));
			setTimeout(() => (isReset ? socket.resetAndDestroy() : socket.end()), 20);
		});
		const body = await get(origin);
		await delay(60);
		let size = 0;
		const failed = await (async () => {
			for await (const piece of body) size += piece.byteLength;
		})().then(
			() => false,
			() => true,
		);
		expect(size).toBeGreaterThan(0);
		// Only a body without any length may end with its connection.
		expect(failed).toBe(head !== HEADS['no length']);
	});
});
