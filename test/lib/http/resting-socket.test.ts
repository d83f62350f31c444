import { exchange } from '../../../lib/http/exchange';
import { restingConnector, Rests } from '../../../lib/http/resting-socket';
import { Agent } from '../../../lib/vendor';
import { http, type net, setImmediate } from '../../support/node';

/** What follows on readings of so many bytes, a millisecond apart. */
const after = (rests: Rests, sizes: number[], wanted = 20, apart = 1) => {
	let [now, bytes] = [0, 0];
	return sizes.map((size) => rests.next(wanted, (bytes += size), (now += apart)));
};

describe('when a socket rests', () => {
	test('behind five quick readings, and then after every second one', () => {
		expect(after(new Rests(), [250, 250, 250, 250, 250, 5_000, 250, 5_000, 250])).toEqual([
			0, 0, 0, 0, 20, 0, 20, 0, 20,
		]);
	});

	test('not while tokens come slowly', () => {
		expect(after(new Rests(), Array<number>(10).fill(250), 20, 6)).toEqual(Array(10).fill(0));
	});

	test('not where nobody wants it, and anew where somebody does again', () => {
		const rests = new Rests();
		expect(after(rests, Array<number>(10).fill(250), 0)).toEqual(Array(10).fill(0));
		expect(rests.next(20, 3_000, 11)).toBe(0);
	});

	test('no more once a rest brought little', () => {
		expect(after(new Rests(), [250, 250, 250, 250, 250, 750, 250, 250, 250, 250, 250])).toEqual([
			0, 0, 0, 0, 20, 0, 0, 0, 0, 20, 0,
		]);
	});

	test('not while a full buffer says that there is more', () => {
		expect(after(new Rests(), [250, 250, 250, 250, 250, 65_536, 65_536, 9_000, 250])).toEqual([
			0, 0, 0, 0, 20, 0, 0, 0, 20,
		]);
	});
});

describe('a socket that rests', () => {
	const REST_MS = 30;
	let server: http.Server;
	let dispatcher: Agent;
	let origin: string;
	let answer: (response: http.ServerResponse, request: http.IncomingMessage) => void;

	beforeEach(async () => {
		dispatcher = new Agent({ connect: restingConnector({}) });
		server = http.createServer((request, response) => answer(response, request));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		origin = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
	});

	afterEach(async () => {
		await dispatcher.destroy();
		server.closeAllConnections();
		server.close();
	});

	const ask = async (rest: () => number, signal = new AbortController().signal, path = '/') => {
		return await exchange(origin + path, { dispatcher, method: 'GET', headers: {}, signal, reset: true, rest });
	};

	const textOf = async (body: AsyncIterable<Uint8Array>) => {
		let text = '';
		for await (const bytes of body) text += new TextDecoder().decode(bytes);
		return text;
	};

	/** Pieces of an answer, each in a turn of the event loop of its own, until all are sent or nobody listens any more. */
	const inPieces = (response: http.ServerResponse, count: number, piece: string, end = () => void response.end()) => {
		const next = (left: number) => {
			if (response.destroyed) return;
			if (left === 0) return end();
			response.write(piece);
			setImmediate(() => next(left - 1));
		};
		next(count);
	};

	test('gives all that was sent', async () => {
		answer = (response) => inPieces(response, 2_000, 'data: piece\n\n');
		const rest = jest.fn(() => REST_MS);
		const { body } = await ask(rest);
		expect(await textOf(body)).toBe('data: piece\n\n'.repeat(2_000));
		expect(rest).toHaveBeenCalled();
	});

	test('every request has a rest of its own', async () => {
		answer = (response, { url = '' }) => inPieces(response, 50, url);
		const rests = [jest.fn(() => REST_MS), jest.fn(() => 0), jest.fn(() => REST_MS)];
		const texts = await Promise.all(
			rests.map(async (rest, index) => await textOf((await ask(rest, undefined, `/${index}`)).body)),
		);
		expect(texts).toEqual(['/0', '/1', '/2'].map((path) => path.repeat(50)));
		for (const rest of rests) expect(rest).toHaveBeenCalled();
	});

	test('is closed at once when the request is aborted', async () => {
		const leave = new AbortController();
		const closed = new Promise<void>((resolve) => {
			answer = (response) => {
				response.on('close', resolve);
				inPieces(response, Infinity, 'data: piece\n\n');
			};
		});
		const { body } = await ask(() => REST_MS, leave.signal);
		await body.next();
		leave.abort(new Error('left'));
		await closed;
		await expect(textOf(body)).rejects.toThrow('left');
	});

	test('what arrived before the server broke the connection comes before the error', async () => {
		answer = (response) => inPieces(response, 100, 'x', () => void response.destroy());
		const { body } = await ask(() => REST_MS);
		let text = '';
		const reading = (async () => {
			for await (const bytes of body) text += new TextDecoder().decode(bytes);
		})();
		await expect(reading).rejects.toThrow();
		expect(text).toBe('x'.repeat(100));
	});

	test('a server that nobody can reach is an error of the connection', async () => {
		server.close();
		server.closeAllConnections();
		await expect(ask(() => REST_MS)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
	});
});
