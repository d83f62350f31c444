import { ChatClient } from '../../../lib/chat/client';
import { type ChatSettings, draftRequest } from '../../../lib/chat/request/request';
import { ThinkingLimit } from '../../../lib/chat/thinking-limit';
import type { FinishedAnswer } from '../../../lib/chat/types';
import { connectTo } from '../../../lib/servers/connect';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { delay } from '../../support/node';
import { rawAsk } from '../../support/raw-client';
import { httpFixture, sseJson } from '../../support/streams';
import { PLAIN_SETTINGS } from './chat-settings';

const startServer = useSimulator(startLlamaServerSim);
const CONTROL = '/v1/chat/completions/control';
const LIMIT_MS = 60;
const THOUGHTS = 'Let me think about that. '.repeat(12);
const DELAYED = { tokenDelayMs: 4 };

interface Ran extends FinishedAnswer {
	pieces: string;
}

async function ask(
	sim: LlamaServerSim,
	settings: Partial<ChatSettings> = {},
	maxConcurrentRequests = 0,
): Promise<Ran> {
	const client = new ChatClient(connectTo({ baseUrl: sim.url, maxConcurrentRequests }), {
		...PLAIN_SETTINGS,
		parameters: { thinking: { mode: 'serverDefault', limitMs: LIMIT_MS } },
		...settings,
	});
	const answer = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
	let pieces = '';
	for (;;) {
		const next = await answer.next();
		if (next.done === true) return { ...next.value, pieces };
		pieces += next.value;
	}
}

/** A server that thinks for a while unless it is told to answer. */
async function thinker(options: SimOptions = {}, reasoning = THOUGHTS): Promise<LlamaServerSim> {
	const sim = await startServer({ template: 'thinking', ...options });
	sim.script(
		reply.reasoning(reasoning, 'Four.', DELAYED),
		reply.reasoning(reasoning, 'Four.', DELAYED),
	);
	return sim;
}

const sentTo = (sim: LlamaServerSim, path: string) =>
	sim.requests
		.filter((request) => request.path === path)
		.map(({ body }) => body as Record<string, unknown>);
const chats = (sim: LlamaServerSim) => sentTo(sim, '/v1/chat/completions');
const ENDED =
	'The model had thought for 0.06 s (Thinking Time Limit). The server was told to end the thinking, and the answer began.';

it('thinking that takes longer is ended, and the answer begins', async () => {
	const sim = await thinker();
	const answer = await ask(sim);
	expect(chats(sim)[0]).toMatchObject({ reasoning_control: true });
	const [control, ...more] = sentTo(sim, CONTROL);
	expect(more).toEqual([]);
	expect(control).toEqual({
		id: expect.stringMatching(/^chatcmpl-\w+$/) as string,
		action: 'reasoning_end',
		model: 'sim-model',
	});
	expect(answer).toMatchObject({ text: 'Four.', pieces: 'Four.', notes: [ENDED] });
	expect(answer.reasoning.length).toBeGreaterThan(0);
	expect(answer.reasoning.length).toBeLessThan(THOUGHTS.length / 2);
});

it('a router is told the name of the model, and a place in the queue is not waited for', async () => {
	const sim = await thinker({ profile: 'router', models: [{ id: 'sim-model', status: 'loaded' }] });
	expect((await ask(sim, {}, 1)).notes).toEqual([ENDED]);
});

it('thinking that ends in time is left alone', async () => {
	const sim = await thinker({}, 'Hm.');
	const answer = await ask(sim, { parameters: { thinking: { mode: 'on', limitMs: 10_000 } } });
	expect(sentTo(sim, CONTROL)).toEqual([]);
	expect(answer).toMatchObject({ reasoning: 'Hm.', text: 'Four.', notes: [] });
});

it('a text that takes longer than the limit is no thinking', async () => {
	const sim = await startServer({ template: 'thinking' });
	const settings = {
		...PLAIN_SETTINGS,
		parameters: { thinking: { mode: 'serverDefault' as const, limitMs: LIMIT_MS } },
	};
	const { request } = draftRequest(settings, { messages: [] }, []).forServer('llamaServer');
	const limit = new ThinkingLimit({ connection: connectTo({ baseUrl: sim.url }), request });
	limit.seen([], true, 'Hm.');
	limit.seen([], false, '');
	await delay(LIMIT_MS * 2);
	limit.seen([], false, '');
	expect(limit.close()).toEqual([]);
	expect(sentTo(sim, CONTROL)).toEqual([]);
});

it('a server that answers "success" without effect is reported', async () => {
	const sim = await startServer({ template: 'chatml' });
	sim.script(reply.reasoning(THOUGHTS, 'Four.', { tokenDelayMs: 25 }));
	const answer = await ask(sim);
	expect(answer).toMatchObject({ text: 'Four.', reasoning: THOUGHTS });
	expect(answer.notes).toEqual([expect.stringContaining('agreed, but the thinking went on')]);
});

it('a server that refuses is reported with its message', async () => {
	const sim = await thinker();
	const answer = await ask(sim, {
		parameters: {
			thinking: { mode: 'serverDefault', limitMs: LIMIT_MS },
			extraBody: { reasoning_control: false },
		},
	});
	expect(answer.notes).toEqual([
		expect.stringMatching(/and did not: reasoning control not enabled for this completion$/),
	]);
});

it.each([
	[
		'a page',
		reply.error(502, '<html><head><title>502 Bad Gateway</title></head></html>'),
		/and did not: 502 Bad Gateway$/,
	],
	['an error', reply.llamaError(400, 'no such completion'), /and did not: no such completion$/],
	['nothing', reply.closed(), /and did not answer that\.$/],
	['silence', reply.silence(), /and did not answer that\.$/],
])('what its control route answers with %s is no success', async (_what, answer, said) => {
	const sim = await thinker();
	sim.route(`POST ${CONTROL}`, answer);
	expect((await ask(sim)).notes).toEqual([expect.stringMatching(said)]);
});

it('an older llama-server thinks on once, with a remark, and gets a token budget from then on', async () => {
	const sim = await thinker({ profile: 'old-llama-server' });
	const first = await ask(sim, { serverKind: 'llamaServer' });
	expect(first).toMatchObject({
		text: 'Four.',
		notes: [expect.stringContaining('thought on') as string],
	});
	expect(chats(sim)[0]).not.toHaveProperty('reasoning_budget_tokens');
	const second = await ask(sim, { serverKind: 'llamaServer' });
	expect(chats(sim)[1]!.reasoning_budget_tokens).toBeGreaterThan(0);
	expect(second.notes[0]).toContain('It got a token budget in its place');
	expect(sentTo(sim, CONTROL)).toHaveLength(1);
});

it('the smaller one of two budgets counts', async () => {
	const sim = await thinker({ profile: 'fastapi' });
	await ask(sim, { serverKind: 'other' });
	await ask(sim, {
		serverKind: 'other',
		parameters: { thinking: { mode: 'budget', tokens: 1, limitMs: LIMIT_MS } },
	});
	expect(chats(sim)[1]).toMatchObject({ reasoning_budget_tokens: 1 });
	expect(sentTo(sim, CONTROL)).toEqual([]);
});

it('a server that ignores all of this is not asked, and the option is named', async () => {
	const sim = await thinker({ profile: 'vllm' });
	const answer = await ask(sim, { serverKind: 'vllm' });
	expect(answer.notes).toEqual([
		'This server (vLLM) ignores these options, so they were not sent: Thinking Time Limit',
	]);
	expect(chats(sim)[0]).not.toHaveProperty('reasoning_control');
});

it('a limit that coincides with the end changes nothing, and leaves nothing behind', async () => {
	for (let limitMs = 1; limitMs < 40; limitMs += 3) {
		const sim = await startServer({ template: 'thinking' });
		sim.script(reply.reasoning('One two three four.', 'Four.', DELAYED));
		const answer = await ask(sim, { parameters: { thinking: { mode: 'serverDefault', limitMs } } });
		expect(answer.text).toBe('Four.');
		expect(answer.notes.length).toBeLessThan(2);
		expect(sim.slots().filter(({ busy }) => busy)).toEqual([]);
	}
});

interface Wire {
	choices: Array<{ delta: { content?: string | null; reasoning_content?: string } }>;
}

it('is what the real server did: two recordings that differ in `reasoning_control` alone', () => {
	const said = (name: string, field: 'content' | 'reasoning_content') =>
		sseJson<Wire>(httpFixture(`llama-server-v0.5.0/${name}.http`).body)
			.map(({ choices }) => choices[0]?.delta[field] ?? '')
			.join('');
	const [ended, whole] = ['thinking-stream-ended', 'thinking-stream-not-armed'];
	expect(said(whole, 'content')).toBe('');
	expect(said(ended, 'content')).not.toBe('');
	expect(said(whole, 'reasoning_content').startsWith(said(ended, 'reasoning_content'))).toBe(true);
});

it.each([
	['control-ended', true],
	['control-not-armed', false],
])('the simulator answers as the real server: %s', async (recorded, armed) => {
	const sim = await thinker();
	const chat = await fetch(`${sim.url}/v1/chat/completions`, {
		method: 'POST',
		body: JSON.stringify({
			messages: [{ role: 'user', content: 'Hi' }],
			stream: true,
			reasoning_control: armed,
		}),
	});
	const events = chat.body!.getReader();
	const { value } = await events.read();
	const [, id] = /"id":"([^"]+)"/.exec(Buffer.from(value as Uint8Array).toString())!;
	const answer = await rawAsk(sim.url, { path: CONTROL, body: { id, action: 'reasoning_end' } });
	const { status, headers, body } = httpFixture(`llama-server-v0.5.0/${recorded}.http`);
	expect([answer.status, answer.headers, answer.body.toString()]).toEqual([
		status,
		headers,
		body.toString(),
	]);
	await events.cancel();
});
