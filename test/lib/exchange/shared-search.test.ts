/** Requests of one execution that a server refuses alike, at the same time: one asks for what it accepts, and the others wait for that. */
import timers from 'node:timers';
import * as fc from 'fast-check';
import { enforceStrictRoles } from '../../../lib/chat/body/strict-roles';
import { asServerErrorOrThrow, ServerError } from '../../../lib/errors/server-error';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecords } from '../../../lib/values/records';
import { getErrorMessage } from '../../../lib/values/text';
import { useClock } from '../../guarantees/support/fake-clock';
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

const toBody = (user: number): JsonRecord => ({
	user,
	messages: [
		{ role: 'system', content: 'Be brief.' },
		{ role: 'user', content: `Question ${user}` },
	],
});

/** Of a response that does not come. */
const forEver = new Promise<void>(() => {});

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
		const result = await runExchange(server, toBody(at), {
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

describe('one that waits', () => {
	const clock = useClock();

	/** How one that is refused ends before it has found what the server accepts; from its nth request on. */
	type End = 'none' | 'stop' | 'timeout' | 'lost' | 'error of ours';
	interface Ending {
		end: End;
		from: number;
	}

	const FIRST_TOKEN_MS = 10_000;
	const OURS = 'an error of ours';

	it('goes on after any end of the one that searches, and gets none of its failures', async () => {
		const ending = fc.record<Ending>({
			end: fc.oneof(
				{ weight: 3, arbitrary: fc.constant<End>('none') },
				{ weight: 2, arbitrary: fc.constantFrom<End>('stop', 'timeout', 'lost', 'error of ours') },
			),
			from: fc.integer({ min: 1, max: 3 }),
		});
		await fc.assert(
			fc.asyncProperty(fc.array(ending, { minLength: 1, maxLength: 6 }), async (endings) => {
				const ends = endings.map(() => '');
				const sent = endings.map((): string[] => []);
				const stops = endings.map(() => new AbortController());
				const server = newServer();
				transport.reply = ({ body }) => {
					const at = Number(body.user);
					const { end, from } = endings[at]!;
					const isOver = sent[at]!.push(JSON.stringify(body)) >= from;
					transport.held = isOver && end === 'timeout' ? forEver : undefined;
					if (isOver && end === 'stop') stops[at]!.abort();
					if (isOver && end === 'lost') return { type: 'lost' };
					return hasSystem(body) ? rejection : { type: 'usable' };
				};
				const run = async (at: number) => {
					let built = 0;
					const toFields = () => {
						const { end, from } = endings[at]!;
						if (++built >= from && end === 'error of ours') throw new Error(OURS);
						return toBody(at);
					};
					const result = await runExchange(server, toFields, {
						adaptations: { strictForm: [enforceStrictRoles] },
						signal: stops[at]!.signal,
						timeouts: { firstTokenMs: FIRST_TOKEN_MS },
						isRepeatable: true,
					}).catch((error: unknown) => error);
					ends[at] = result instanceof Error ? getErrorMessage(result) : 'usable';
					if (result instanceof ServerError) ends[at] = result.type;
				};
				const all = Promise.all(endings.map(async (_ending, at) => await run(at)));
				await clock.passUntil(all);
				const allowed: Readonly<Record<End, readonly string[]>> = {
					none: ['usable'],
					stop: ['usable', 'aborted'],
					timeout: ['usable', 'firstTokenTimeout', 'badRequest'],
					lost: ['usable', 'connectionRefused', 'badRequest'],
					'error of ours': ['usable', OURS],
				};
				endings.forEach(({ end }, at) => expect(allowed[end]).toContain(ends[at]));
				// What the server does not refuse soon was refused by chance, so each of them repeats it.
				if (endings.some(({ end }) => end === 'timeout')) return;
				const played = sent.map((bodies, at) => ({ end: ends[at]!, sent: bodies }));
				const others = played.filter((_part, at) => endings[at]!.end !== 'lost');
				const ended = endings.filter(({ end }) => end !== 'none').length;
				expect(repetitionsOf(others)).toBeLessThanOrEqual(1 + ended);
			}),
		);
	});

	it.each([
		{ name: 'uses what the wait left', responses: [4_000], end: 'usable', endsAtMs: 7_500 },
		{
			name: 'has all of it for a further request',
			responses: [4_000, 9_000],
			end: 'usable',
			endsAtMs: 16_500,
		},
		{
			name: 'ends when all of it is over',
			responses: [7_000],
			end: 'failed',
			endsAtMs: FIRST_TOKEN_MS,
		},
	])('has one time for the first token: it $name', async ({ responses, end, endsAtMs }) => {
		jest.spyOn(Math, 'random').mockReturnValue(0.5);
		const startedAt = performance.now();
		const elapsedMs = () => Math.round(performance.now() - startedAt);
		const server = newServer();
		let answered = 0;
		transport.reply = ({ body }) => {
			transport.held = undefined;
			if (hasSystem(body) && transport.sent.length <= 2) return rejection;
			// The one that searches waits for a busy server, until 3,500 ms.
			if (elapsedMs() < 3_000) return { type: 'rejected', status: 429, message: 'Busy' };
			if (hasSystem(body)) return rejection;
			if (body.user === 0) return { type: 'usable' };
			transport.held = passMs(responses[answered++]!);
			return answered < responses.length ? { type: 'correctable' } : { type: 'usable' };
		};
		const ask = async (user: number) =>
			await runExchange(server, toBody(user), {
				adaptations: { strictForm: [enforceStrictRoles] },
				timeouts: { firstTokenMs: FIRST_TOKEN_MS },
			});
		const searching = ask(0);
		const waiting = ask(1).then(
			() => ['usable', elapsedMs()],
			() => ['failed', elapsedMs()],
		);
		await clock.passUntil(searching);
		expect(await clock.passUntil(waiting)).toEqual([end, endsAtMs]);
	});
});

async function passMs(ms: number): Promise<void> {
	await new Promise((resolve) => void timers.setTimeout(resolve, ms));
}
