/** Documented timeouts of a run, with a fake clock (docs/nodes/dify-chat-message.md). */
import { useClock } from '../../guarantees/support/fake-clock';
import { openStream, send } from '../../guarantees/support/responses';
import { json, until, useServers } from '../../support/servers/scripted-server';
import type { Routes } from '../../support/servers/scripted-server';
import type * as http from 'node:http';
import { getItemError, execute, prepare } from '../dify';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const TASK = '11111111-2222-4333-8444-555555555555';
const STOP = `POST /v1/chat-messages/${TASK}/stop`;
const IDS = { conversation_id: 'c', message_id: 'm', task_id: TASK, created_at: 1 };

const start = useServers();
const clock = useClock();

/** A Dify that streams what the test sends. */
async function startRun(routes: Routes = {}, signal?: AbortSignal) {
	let stream: http.ServerResponse | undefined;
	const server = await start({
		'POST /v1/chat-messages': (_request, response) => {
			openStream(response);
			stream = response;
		},
		...routes,
	});
	const fake = prepare(
		{ url: `${server.url}/v1` },
		{ continueOnFail: true, streaming: true, signal },
	);
	const state = { isOver: false };
	const items = execute(fake).finally(() => (state.isOver = true));
	items.catch(() => undefined);
	const [request] = await server.arrived('/chat-messages');
	return {
		server,
		request: request!,
		items,
		state,
		ping: () => stream!.write('event: ping\n\n'),
		say: async (answer: string) => {
			send(stream!, { event: 'message', ...IDS, answer });
			await until(() => fake.chunks.some(({ content }) => content === answer));
		},
		end: () => {
			send(stream!, { event: 'message_end', ...IDS, metadata: {} });
			stream!.end();
		},
	};
}

test.each([
	['before the first event', []],
	['after an event', ['One ']],
])('a run with only pings ends after ten minutes, not after nine: %s', async (_name, texts) => {
	const { items, state, ping, say, request } = await startRun({
		[STOP]: json({ result: 'success' }),
	});
	for (const text of texts) await say(text);
	for (let minute = 0; minute < 9; minute++) {
		await clock.pass(MINUTE);
		ping();
	}
	await clock.pass(55 * SECOND);
	expect(state.isOver).toBe(false);
	await clock.pass(10 * SECOND);
	const [item] = await clock.passUntil(items);
	const { description } = getItemError(item!)!;
	expect(description).toContain('for 10 minutes (Idle Timeout)');
	await request.cut;
});

test('there is no total timeout: a run with a delta every nine minutes continues for an hour and a half', async () => {
	const { items, say, end } = await startRun();
	const deltas = Array.from({ length: 10 }, (_, at) => `${at} `);
	for (const delta of deltas) {
		await say(delta);
		await clock.pass(9 * MINUTE);
	}
	end();
	const [item] = await items;
	expect(item!.json.answer).toBe(deltas.join(''));
});

describe('Stop', () => {
	/** Stops a run after its first text. @param status of Dify's response to the stop */
	async function startAndStop(status: number) {
		const controller = new AbortController();
		const running = await startRun(
			{ [STOP]: json({ result: 'success' }, status) },
			controller.signal,
		);
		await running.say('One ');
		controller.abort();
		await running.server.arrived('/stop');
		return running;
	}

	test('a run that Dify does not stop is not read further', async () => {
		const { items, request } = await startAndStop(403);
		await request.cut;
		const [item] = await items;
		expect(getItemError(item!)).toMatchObject({ stopRequested: false, answer: 'One ' });
	});

	test('a run that Dify stops is read for three more seconds', async () => {
		const { items, state } = await startAndStop(200);
		await clock.pass(2.9 * SECOND);
		expect(state.isOver).toBe(false);
		await clock.pass(0.2 * SECOND);
		const [item] = await clock.passUntil(items);
		expect(getItemError(item!)).toMatchObject({ stopRequested: true, answer: 'One ' });
	});

	test('a run that has no ID yet is read for five seconds', async () => {
		const controller = new AbortController();
		const { items, state, server } = await startRun({}, controller.signal);
		controller.abort();
		await clock.pass(4.9 * SECOND);
		expect(state.isOver).toBe(false);
		await clock.pass(0.2 * SECOND);
		const [item] = await clock.passUntil(items);
		expect(getItemError(item!)).toMatchObject({ type: 'aborted' });
		expect(server.sent('/stop')).toEqual([]);
	});
});
