import { ChatClient } from '../../../../lib/chat/client';
import type { FinishedAnswer } from '../../../../lib/chat/types';
import { TurnMemory } from '../../../../lib/chat/answer/turn-memory';
import type { ChatProtocol } from '../../../../lib/chat/wire/protocol';
import { connectTo } from '../../../../lib/servers/connect';
import { parseJson } from '../../../../lib/json';
import { isRecord } from '../../../../lib/values';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../../servers/llama-server';
import { delay } from '../../../support/node';
import { PLAIN_SETTINGS } from '../chat-settings';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

/** A protocol of JSON lines as Ollama's own API has it, cut down to what makes it one. */
const lineProtocol: ChatProtocol = {
	framing: 'ndjson',
	url: ({ root }) => `${root}/api/chat`,
	body: ({ model, messages }) => ({ model, messages }),
	decode: ({ data }) => {
		const line = parseJson(data);
		if (!isRecord(line)) throw new Error(`not a JSON object: ${data.slice(0, 200)}`);
		if (typeof line.error === 'string') return { error: { message: line.error } };
		const message = isRecord(line.message) ? line.message : {};
		return {
			text: typeof message.content === 'string' ? message.content : '',
			...(line.done === true ? { finishReason: String(line.done_reason), done: true } : {}),
		};
	},
};

let sim: LlamaServerSim;
beforeEach(async () => {
	sim = await startServer();
});
const line = (content: string) =>
	`${JSON.stringify({ message: { role: 'assistant', content }, done: false })}\n`;
const LAST = '{"message":{"content":""},"done":true,"done_reason":"stop"}\n';

/** The pieces as they came, and the answer. */
async function run(
	answer: ReturnType<typeof reply.sse>,
	limits = {},
): Promise<{ pieces: string[]; answer: FinishedAnswer }> {
	sim.route('POST /api/chat', answer);
	const client = new ChatClient(
		connectTo({ baseUrl: sim.url, chosenKind: 'other' }),
		{ ...PLAIN_SETTINGS, limits },
		lineProtocol,
		new TurnMemory(),
	);
	const generation = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
	const pieces: string[] = [];
	for (;;) {
		const next = await generation.next();
		if (next.done === true) return { pieces, answer: next.value };
		pieces.push(next.value);
	}
}

describe('a protocol of JSON lines is one object of type ChatProtocol', () => {
	test.each([
		['as it should be', { headers: { 'Content-Type': 'application/x-ndjson' } }],
		['labelled as JSON', { headers: { 'Content-Type': 'application/json' } }],
		['without a type, byte by byte', { headers: { 'Content-Type': null }, split: 1 }],
		['everything in one read', { join: 100 }],
		['compressed', { gzip: true }],
	])('its stream is read piece by piece: %s', async (_name, transport) => {
		const { pieces, answer } = await run(reply.sse([line('Grüße '), line('🦙'), LAST], transport));
		expect(pieces.join('')).toBe('Grüße 🦙');
		expect(answer).toMatchObject({
			text: 'Grüße 🦙',
			finishReason: 'stop',
			url: `${sim.url}/api/chat`,
		});
		expect(sim.requests[0]!.body).toEqual({
			model: 'sim-model',
			messages: [expect.objectContaining({ role: 'user' })],
		});
		expect(sim.requests[0]!.headers.accept).toContain('application/x-ndjson');
	});

	test('a first line is shown before the second one comes', async () => {
		let shown = false;
		async function* body() {
			yield line('a');
			for (let waits = 0; waits < 200 && !shown; waits++) await delay(10);
			yield shown ? line('b') : line('too late');
			yield LAST;
		}
		sim.route('POST /api/chat', () => reply.sse(body()));
		const settings = PLAIN_SETTINGS;
		const client = new ChatClient(
			connectTo({ baseUrl: sim.url, chosenKind: 'other' }),
			settings,
			lineProtocol,
			new TurnMemory(),
		);
		let text = '';
		for await (const piece of client.generate({ messages: [{ type: 'human', content: 'Hi' }] })) {
			text += piece;
			shown = true;
		}
		expect(text).toBe('ab');
	});

	test('an answer of one line is one event', async () => {
		const { answer } = await run(
			reply.sse('{"message":{"content":"Hi"},"done":true,"done_reason":"stop"}'),
		);
		expect(answer.text).toBe('Hi');
	});

	test('an error in the stream, a line that was cut, and the idle limit', async () => {
		await expect(run(reply.sse([line('a'), '{"error":"out of memory"}\n']))).rejects.toMatchObject({
			kind: 'streamError',
			serverText: 'out of memory',
			partialText: 'a',
		});
		await expect(run(reply.sse([line('a'), '{"message":{"con']))).rejects.toMatchObject({
			kind: 'streamEndedEarly',
			partialText: 'a',
		});
		async function* hanging() {
			yield line('a');
			for (let pings = 0; pings < 300; pings++) {
				await delay(10);
				yield line('');
			}
		}
		await expect(run(reply.sse(hanging()), { idleMs: 300 })).rejects.toMatchObject({
			kind: 'idleLimit',
			partialText: 'a',
		});
	});
});

describe('JSON lines where events were asked for', () => {
	/** A chat by the OpenAI protocol. */
	async function chat(body: string): Promise<FinishedAnswer> {
		sim.script(reply.sse(body, { headers: { 'Content-Type': 'application/x-ndjson' } }));
		const settings = PLAIN_SETTINGS;
		const client = new ChatClient(
			connectTo({ baseUrl: sim.url, chosenKind: 'other' }),
			settings,
			undefined,
			new TurnMemory(),
		);
		const generation = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
		for (;;) {
			const next = await generation.next();
			if (next.done === true) return next.value;
		}
	}

	test('home-made servers: chunks without "data:" are read', async () => {
		const chunk = (choice: object) => `${JSON.stringify({ choices: [choice] })}\n`;
		const body =
			chunk({ delta: { content: 'Hel' } }) +
			chunk({ delta: { content: 'lo' }, finish_reason: 'stop' });
		expect(await chat(body)).toMatchObject({ text: 'Hello', finishReason: 'stop' });
	});

	test.each([
		["Ollama's own API", line('Hel') + LAST],
		['Ollama, /api/generate', '{"response":"Hel","done":false}\n{"response":"","done":true}\n'],
		['a log', '{"level":"info"}\n{"level":"info"}\n'],
	])('%s is named as what it is', async (_name, body) => {
		await expect(chat(body)).rejects.toMatchObject({
			kind: 'invalidAnswer',
			message: expect.stringContaining('JSON lines (NDJSON) of another API') as string,
		});
	});
});
