/** Requests of one execution that a server refuses alike, at the same time: one asks for what it accepts, and the others wait for that. */
import * as fc from 'fast-check';
import { enforceStrictRoles } from '../../../lib/chat/body/strict-roles';
import { asServerErrorOrThrow, ServerError } from '../../../lib/errors/server-error';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecords } from '../../../lib/values/records';
import { withDeadline } from '../../support/waiting/deadline';
import { runExchange, scriptedServer } from './scripted-exchange';
import { transport } from './scripted-transport';
import type { Reply } from './scripted-transport';

jest.mock('../../../lib/http/send-request', () =>
	jest.requireActual<object>('./scripted-transport'),
);

/** One of the exchanges that run at the same time. */
interface Part {
	/** The server refuses it in each form, for what it contains. */
	isBad: boolean;
	/** Turns of the event loop that the server takes for its requests, one after another. */
	turns: readonly number[];
	/** Stop comes with this request of it; 0: never. */
	stopAt: number;
}

const partOf = (limits: { isBad: fc.Arbitrary<boolean>; stopAt: fc.Arbitrary<number> }) =>
	fc.record<Part>({
		isBad: limits.isBad,
		turns: fc.array(fc.nat(4), { minLength: 6, maxLength: 6 }),
		stopAt: limits.stopAt,
	});
const never = fc.constant(0);
const good = partOf({ isBad: fc.constant(false), stopAt: never });

const rejection: Reply = { type: 'rejected', status: 400, message: 'Bad Request' };
const hasSystem = (body: JsonRecord) =>
	asRecords(body.messages).some(({ role }) => role === 'system');

let count = 0;
const newServer = () => scriptedServer(`shared-${++count}`, 'other', `execution-${count}`);

/** What became of an exchange. */
interface Played {
	/** `usable`, or the type of its error. */
	end: string;
	/** Its bodies, as they arrived. */
	sent: string[];
}

/** Runs the exchanges at the same time. The server has no system role (Gemma). */
async function play(
	parts: readonly Part[],
	{ server = newServer(), maxRetries = 2 }: { server?: ModelServer; maxRetries?: number } = {},
): Promise<Played[]> {
	const played = parts.map((): Played => ({ end: '', sent: [] }));
	const stops = parts.map(() => new AbortController());
	transport.reply = ({ body }) => {
		const at = Number(body.user);
		const { isBad, turns, stopAt } = parts[at]!;
		const { sent } = played[at]!;
		sent.push(JSON.stringify(body));
		if (sent.length === stopAt) stops[at]!.abort();
		transport.held = passTurns(turns[sent.length - 1] ?? 0);
		return isBad || hasSystem(body) ? rejection : { type: 'usable' };
	};
	const run = async (at: number) => {
		const body = {
			user: at,
			messages: [
				{ role: 'system', content: 'Be brief.' },
				{ role: 'user', content: `Question ${at}` },
			],
		};
		const result = await runExchange(server, body, {
			adaptations: { strictForm: [enforceStrictRoles] },
			signal: stops[at]!.signal,
			maxRetries,
		}).catch(asServerErrorOrThrow);
		played[at]!.end = result instanceof ServerError ? result.type : 'usable';
	};
	await withDeadline(
		Promise.all(parts.map(async (_part, at) => await run(at))),
		() => 'all exchanges',
	);
	return played;
}

async function passTurns(turns: number): Promise<void> {
	for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
}

const sumOf = (played: readonly Played[]) => played.reduce((sum, { sent }) => sum + sent.length, 0);
const repetitionsOf = (played: readonly Played[]) =>
	sumOf(played) - played.reduce((sum, { sent }) => sum + new Set(sent).size, 0);

describe('up to eight requests that are refused alike', () => {
	it('cost one repetition together, in whatever order the server responds', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(good, { minLength: 1, maxLength: 8 }), async (parts) => {
				const played = await play(parts);
				expect(played.map(({ end }) => end)).toEqual(parts.map(() => 'usable'));
				expect(sumOf(played)).toBe(2 * parts.length + 1);
			}),
		);
	});

	it('cost none with Retries 0', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(good, { minLength: 1, maxLength: 8 }), async (parts) => {
				expect(sumOf(await play(parts, { maxRetries: 0 }))).toBe(2 * parts.length);
			}),
		);
	});

	it('succeed although one of them is refused in each form, whichever searches', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(partOf({ isBad: fc.boolean(), stopAt: never }), { minLength: 1, maxLength: 8 }),
				async (parts) => {
					const played = await play(parts);
					expect(played.map(({ end }) => end === 'usable')).toEqual(
						parts.map(({ isBad }) => !isBad),
					);
					expect(Math.max(...played.map(({ sent }) => sent.length))).toBeLessThanOrEqual(3);
				},
			),
		);
	});

	it('go on after Stop of one: another one searches in its place', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(partOf({ isBad: fc.constant(false), stopAt: fc.nat(3) }), {
					minLength: 1,
					maxLength: 8,
				}),
				async (parts) => {
					const played = await play(parts);
					const stopped = parts.filter(
						({ stopAt }, at) => stopAt > 0 && stopAt <= played[at]!.sent.length,
					);
					expect(played.filter(({ end }) => end === 'aborted').length).toBeLessThanOrEqual(
						stopped.length,
					);
					parts.forEach(({ stopAt }, at) => {
						if (stopAt === 0) expect(played[at]!.end).toBe('usable');
						else expect(played[at]!.sent.length).toBeLessThanOrEqual(Math.max(stopAt, 3));
					});
					expect(repetitionsOf(played)).toBeLessThanOrEqual(1 + stopped.length);
				},
			),
		);
	});
});

it('two executions search apart', async () => {
	const two = [1, 2].map(() => ({ isBad: false, turns: [0], stopAt: 0 }));
	const path = `shared-${++count}`;
	const servers = ['visitor', 'owner'].map((id) => scriptedServer(path, 'other', id));
	const [visitor, owner] = servers;
	expect(sumOf(await play(two, { server: visitor }))).toBe(5);
	// The form was proven by bytes that failed twice, so it is known.
	expect(sumOf(await play(two, { server: owner }))).toBe(2);
});

it('a request that waits ends at its own Stop, while the other one searches', async () => {
	const forEver = new Promise<void>(() => {});
	const server = newServer();
	const stop = new AbortController();
	let requests = 0;
	transport.reply = () => {
		requests++;
		transport.held = requests > 2 ? forEver : undefined;
		if (requests === 3) setImmediate(() => stop.abort());
		return rejection;
	};
	const body = { messages: [{ role: 'user', content: 'Hi' }] };
	void runExchange(server, body);
	const waiting = runExchange(server, body, { signal: stop.signal });
	await expect(withDeadline(waiting, () => 'the end of the one that waits')).rejects.toMatchObject({
		type: 'aborted',
		url: expect.stringContaining('/v1'),
	});
	expect(requests).toBe(3);
});

it('a request that waits goes on by itself after its First Token Timeout', async () => {
	const forEver = new Promise<void>(() => {});
	const server = newServer();
	let requests = 0;
	transport.reply = () => {
		requests++;
		transport.held = requests === 3 ? forEver : undefined;
		return requests > 3 ? { type: 'usable' } : rejection;
	};
	const body = { messages: [{ role: 'user', content: 'Hi' }] };
	void runExchange(server, body);
	const timeouts = { firstTokenMs: 30 };
	await withDeadline(
		runExchange(server, body, { timeouts }),
		() => 'the response to the one that waits',
	);
	expect(requests).toBe(4);
});
