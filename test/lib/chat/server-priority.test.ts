import { ChatClient } from '../../../lib/chat/client';
import { readToEnd } from '../../../lib/generators';
import type { Priority } from '../../../lib/http/scheduler';
import { localLlamaServers } from '../../../lib/servers/credential';
import type { KindName } from '../../../lib/servers/kinds';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { PLAIN_SETTINGS } from './chat-settings';

const start = useSimulator(startLlamaServerSim);
const REFUSAL = 'Got priority 2 but Priority scheduling is not enabled.';

async function generate(
	server: LlamaServerSim,
	priority: Priority,
	serverKind: KindName = 'vllm',
	extraBody?: Record<string, unknown>,
) {
	const servers = localLlamaServers({ baseUrl: server.url }, undefined, { priority });
	const settings = { ...PLAIN_SETTINGS, serverKind, parameters: { extraBody } };
	const client = new ChatClient(servers, settings);
	return await readToEnd(client.generate({ messages: [{ type: 'human', content: 'Hello' }] }));
}

/** `priority` in the chat requests that the server got. */
function sentPriorities(server: LlamaServerSim) {
	const chats = server.requests.filter(({ path }) => path.endsWith('/chat/completions'));
	return chats.map(({ body }) => (body as Record<string, unknown>).priority);
}

test('vLLM gets the class of a request; that of a person is its default', async () => {
	const server = await start({ profile: 'vllm' });
	for (const priority of ['person', 'agent', 'batch'] as const) await generate(server, priority);
	expect(sentPriorities(server)).toEqual([undefined, 1, 2]);
});

test.each<KindName>(['llamaServer', 'ollama', 'other'])('%s gets none', async (kind) => {
	const server = await start();
	await generate(server, 'batch', kind);
	expect(sentPriorities(server).filter((priority) => priority !== undefined)).toEqual([]);
});

describe('vLLM without a scheduler by priority', () => {
	const error = { object: 'error', message: REFUSAL, type: 'BadRequestError', code: 400 };

	test.each([
		['as a status', reply.error(400, { error })],
		['in the stream', reply.sse(`data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`)],
		[
			'of the first V1 releases',
			reply.error(400, { message: 'V1 does not support priority yet.' }),
		],
	])('refuses it %s: sent again without it, which is remembered', async (_how, refusal) => {
		const server = await start({ profile: 'vllm' });
		server.script(refusal, reply.text('Hello'));
		expect(await generate(server, 'batch')).toMatchObject({ text: 'Hello', notes: [] });
		await generate(server, 'batch');
		expect(sentPriorities(server)).toEqual([2, undefined, undefined]);
	});

	test('one of Extra Body is not left out', async () => {
		const server = await start({ profile: 'vllm' });
		server.script(reply.error(400, { error }), reply.text('never'));
		const generating = generate(server, 'batch', 'vllm', { priority: 5 });
		await expect(generating).rejects.toMatchObject({ status: 400 });
		expect(sentPriorities(server)).toEqual([5]);
	});
});
