import { ChatClient } from '../../../lib/chat/client';
import type { FinishedAnswer } from '../../../lib/chat/types';
import type { ChatSettings } from '../../../lib/chat/request/request';
import { TurnMemory } from '../../../lib/chat/answer/turn-memory';
import type { Limits } from '../../../lib/http/limits';
import { connectTo } from '../../../lib/servers/connect';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { delay } from '../../support/node';
import { PLAIN_SETTINGS } from './chat-settings';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let sim: LlamaServerSim;
beforeEach(async () => {
	sim = await startServer();
});
const event = (delta: object, more: object = {}) =>
	`data: ${JSON.stringify({ choices: [{ index: 0, delta, ...more }] })}\n\n`;

/** The first event, then repeated pings until the client disconnects. */
async function* hanging(first: string, sign: string): AsyncGenerator<string> {
	yield first;
	for (let signs = 0; signs < 1000; signs++) {
		await delay(15);
		yield sign;
	}
}

async function run(
	limits: Partial<Limits>,
	settings: Partial<ChatSettings> = {},
): Promise<FinishedAnswer> {
	const client = new ChatClient(
		connectTo({ baseUrl: sim.url, maxConcurrentRequests: 1, chosenKind: 'other' }),
		{ ...PLAIN_SETTINGS, limits, ...settings },
		undefined,
		new TurnMemory(),
	);
	const generation = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
	for (;;) {
		const next = await generation.next();
		if (next.done === true) return next.value;
	}
}

const SIGNS: ReadonlyArray<readonly [name: string, sign: string]> = [
	['comment pings of llama-server', ':\n\n'],
	['empty deltas of vLLM', event({ content: '' })],
	['deltas with nothing in them', event({})],
	['a role again and again', event({ role: 'assistant', content: null })],
	[
		'empty pieces of a tool call',
		event({ tool_calls: [{ index: 0, function: { arguments: '' } }] }),
	],
	['empty thinking', event({ reasoning_content: '', content: null })],
	['events without choices', 'data: {"choices":[]}\n\n'],
	['heartbeat events of gateways', 'event: ping\ndata: {}\n\n'],
];

describe('a GPU that hangs after the first token', () => {
	test.each(SIGNS)(
		'the idle limit is hit in spite of %s, and the next request has its turn',
		async (_name, sign) => {
			sim.script(reply.sse(hanging(event({ content: 'a' }), sign)), reply.text('Hello'));
			const hung = run({ idleMs: 300 });
			await sim.until(() => sim.requests.length === 1);
			const next = run({});
			await expect(hung).rejects.toMatchObject({ kind: 'idleLimit', partialText: 'a' });
			expect((await next).text).toBe('Hello');
			await sim.until(() => sim.requests[0]!.endedBy === 'client-abort');
		},
	);

	test.each(SIGNS)(
		'before the first token the first-token limit counts in spite of %s',
		async (_name, sign) => {
			sim.script(reply.sse(hanging(event({ role: 'assistant', content: '' }), sign)));
			await expect(run({ firstTokenMs: 300, idleMs: 60_000 })).rejects.toMatchObject({
				kind: 'firstTokenLimit',
			});
		},
	);

	test.each([
		['text', event({ content: 'b' })],
		['thinking', event({ reasoning_content: 'b' })],
		['a tool call in pieces', event({ tool_calls: [{ index: 0, function: { arguments: ' ' } }] })],
	])('%s restarts the limit', async (_name, piece) => {
		async function* slow() {
			yield event({
				content: 'a',
				tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }],
			});
			for (let pieces = 0; pieces < 8; pieces++) {
				await delay(150);
				yield piece;
			}
			yield event({}, { finish_reason: 'stop' });
			yield 'data: [DONE]\n\n';
		}
		sim.script(reply.sse(slow()));
		expect((await run({ idleMs: 900 })).text).toContain('a');
	});
});

// A piece of a tool call shows that the answer is not finished, whatever was said.
test.each(SIGNS.filter(([name]) => !name.includes('tool call')))(
	'a finished answer returns although %s go on',
	async (_name, sign) => {
		async function* finished() {
			yield event({ content: 'Done' });
			yield* hanging(event({}, { finish_reason: 'stop' }), sign);
		}
		sim.script(reply.sse(finished()));
		expect(await run({ idleMs: 300 })).toMatchObject({ text: 'Done', finishReason: 'stop' });
	},
);
