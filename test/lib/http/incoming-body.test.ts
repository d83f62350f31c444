import fc from 'fast-check';

import { IncomingBody } from '../../../lib/http/incoming-body';
import { delay, process, setImmediate } from '../../support/node';
import { examples } from '../../support/properties';

const bytes = (text: string) => new TextEncoder().encode(text);
const source = () => ({ pause: jest.fn(), resume: jest.fn(), abort: jest.fn() });
const textOf = ({ value }: IteratorResult<Uint8Array, undefined>) =>
	new TextDecoder().decode(value);
/** So long that a test which waits for it fails. */
const HOURS = { interval: () => 3_600_000 };
const timersRunning = () =>
	process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('the body of an answer', () => {
	test('what arrived since the last reading is one piece, and what follows the next', async () => {
		const body = new IncomingBody(source());
		body.push(bytes('one '));
		body.push(bytes('two'));
		expect(textOf(await body.next())).toBe('one two');
		const next = body.next();
		body.push(bytes('three'));
		expect(textOf(await next)).toBe('three');
		body.end();
		expect(await body.next()).toEqual({ done: true, value: undefined });
		expect(await body.next()).toEqual({ done: true, value: undefined });
	});

	test('an error comes after what arrived before it, to every later reading too', async () => {
		const body = new IncomingBody(source());
		body.push(bytes('text'));
		body.end(new Error('reset'));
		expect(textOf(await body.next())).toBe('text');
		await expect(body.next()).rejects.toThrow('reset');
		await expect(body.next()).rejects.toThrow('reset');
	});

	test('the first read does not wait for the pace, the second does', async () => {
		const body = new IncomingBody(source(), HOURS);
		body.push(bytes('a'));
		expect(textOf(await body.next())).toBe('a');
		const second = body.next();
		body.push(bytes('b'));
		await delay(1);
		body.push(bytes('c'));
		body.end();
		expect(textOf(await second)).toBe('bc');
	});

	test('nothing is read during a pause, and its end reads what has arrived', async () => {
		const body = new IncomingBody(source(), { interval: () => 30 });
		body.push(bytes('a'));
		await body.next();
		const second = body.next();
		await delay(60);
		body.push(bytes('late'));
		expect(textOf(await second)).toBe('late');
	});

	test('a pause is asked for when something arrives, and once for all that arrives in it', async () => {
		const pace = jest.fn(HOURS.interval);
		const body = new IncomingBody(source(), { interval: pace });
		body.push(bytes('a'));
		await body.next();
		pace.mockClear();
		const second = body.next();
		expect(pace).not.toHaveBeenCalled();
		body.push(bytes('b'));
		body.push(bytes('c'));
		expect(pace).toHaveBeenCalledTimes(1);
		body.end();
		expect(textOf(await second)).toBe('bc');
	});

	test.each([
		['the end', (body: IncomingBody) => body.end()],
		['an error', (body: IncomingBody) => body.end(new Error('reset'))],
		['more than memory should hold', (body: IncomingBody) => body.push(new Uint8Array(256 * 1024))],
	])('%s does not wait for the pace', async (_what, happen) => {
		const timersBefore = timersRunning();
		const body = new IncomingBody(source(), HOURS);
		body.push(bytes('a'));
		await body.next();
		const second = body.next();
		body.push(bytes('b'));
		happen(body);
		expect((await second).done).toBe(false);
		// A timer that is left would hold the body, and keep the process alive.
		expect(timersRunning()).toBe(timersBefore);
	});

	test('the connection is held while 256 kB wait to be read', async () => {
		const connection = source();
		const body = new IncomingBody(connection);
		body.push(new Uint8Array(255 * 1024));
		expect(connection.pause).not.toHaveBeenCalled();
		body.push(new Uint8Array(1024));
		expect(connection.pause).toHaveBeenCalledTimes(1);
		body.push(new Uint8Array(1024));
		expect(connection.resume).not.toHaveBeenCalled();
		for (let piece = 0; piece < 4; piece++) {
			expect((await body.next()).value?.byteLength).toBe(64 * 1024);
			expect(connection.resume).not.toHaveBeenCalled();
		}
		expect((await body.next()).value?.byteLength).toBe(1024);
		expect(connection.resume).toHaveBeenCalledTimes(1);
	});

	test('of what arrives at once, each byte is read once and in order, and others have their turn between', async () => {
		const lengths = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 6 });
		await fc.assert(
			fc.asyncProperty(lengths, fc.boolean(), async (sizes, endsEarly) => {
				const body = new IncomingBody(source());
				const all = Buffer.concat(sizes.map((size, at) => Buffer.alloc(size, 97 + (at % 26))));
				let at = 0;
				for (const size of sizes) body.push(all.subarray(at, (at += size)));
				if (endsEarly) body.end();
				else setImmediate(() => body.end());
				let turns = 0;
				const read: Uint8Array[] = [];
				for await (const piece of body) {
					read.push(piece);
					expect(turns).toBeGreaterThanOrEqual(read.length - 1);
					setImmediate(() => (turns += 1));
				}
				expect(Buffer.concat(read).equals(all)).toBe(true);
				for (const piece of read) expect(piece.byteLength).toBeLessThanOrEqual(64 * 1024);
			}),
			examples(40),
		);
	});

	test('closing it drops what was not read, closes the connection, and ends whoever waits', async () => {
		const connection = source();
		const body = new IncomingBody(connection);
		const waiting = body.next();
		body.destroy();
		await expect(waiting).rejects.toMatchObject({ code: 'UND_ERR_ABORTED' });
		expect(connection.abort).toHaveBeenCalledTimes(1);
		body.push(bytes('late'));
		await expect(body.next()).rejects.toMatchObject({ code: 'UND_ERR_ABORTED' });
		body.destroy();
		expect(connection.abort).toHaveBeenCalledTimes(1);
	});

	test('leaving the loop early closes the connection; after the end nothing has to be closed', async () => {
		const connection = source();
		const body = new IncomingBody(connection);
		body.push(bytes('a'));
		for await (const piece of body) {
			expect(piece).toEqual(bytes('a'));
			break;
		}
		expect(connection.abort).toHaveBeenCalledTimes(1);
		const ended = source();
		const whole = new IncomingBody(ended);
		whole.push(bytes('a'));
		whole.end();
		whole.destroy();
		expect(ended.abort).not.toHaveBeenCalled();
		expect((await whole.next()).done).toBe(true);
	});
});
