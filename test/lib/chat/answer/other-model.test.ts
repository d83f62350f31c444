import fc from 'fast-check';

import { otherModelIn } from '../../../../lib/chat/answer/other-model';
import { ChatClient } from '../../../../lib/chat/client';
import { readToEnd } from '../../../../lib/generators';
import { localLlamaConnection } from '../../../../lib/servers/credential';
import { reply, startLlamaServerSim } from '../../../servers/llama-server';
import { startReverseProxy } from '../../../servers/reverse-proxy';
import { useSimulator } from '../../../servers/use-simulator';
import { PLAIN_SETTINGS } from '../chat-settings';

const start = useSimulator(startLlamaServerSim);
const startProxy = useSimulator(startReverseProxy);

const llamaModel = (id: string, aliases: string[] = []) => ({ id, aliases, owned_by: 'llamacpp' });
const listOf = (...data: object[]) => ({ object: 'list', data });

const PATH = '/models/Qwen3-8B-Q4_K_M.gguf';

test.each([
	['another name', 'llama-3', 'qwen3-8b', listOf(llamaModel('qwen3-8b'))],
	['a path as its ID', 'llama-3', PATH, listOf(llamaModel(PATH))],
	['an alias in the answer', 'llama-3', 'main', listOf(llamaModel('qwen3-8b', ['main']))],
])(
	'reports a llama-server that answers with its only model: %s',
	(_case, requested, answered, list) => {
		expect(otherModelIn({ requested, answered, list })).toBeDefined();
	},
);

test.each([
	['the name itself', 'qwen3-8b', 'qwen3-8b', listOf(llamaModel('qwen3-8b'))],
	['an alias', 'main', 'qwen3-8b', listOf(llamaModel('qwen3-8b', ['main']))],
	['the file without its folder', 'qwen3-8b-q4_k_m', PATH, listOf(llamaModel(PATH))],
	['the file by another path', 'D:\\llm\\Qwen3-8B-Q4_K_M.gguf', PATH, listOf(llamaModel(PATH))],
	['no name', '', 'qwen3-8b', listOf(llamaModel('qwen3-8b'))],
	['an answer without a name', 'llama-3', undefined, listOf(llamaModel('qwen3-8b'))],
	['a list of several', 'llama-3', 'a', listOf(llamaModel('a'), llamaModel('b'))],
	['an answer from behind the list', 'gpt', 'c', listOf(llamaModel('a'))],
	['a gateway that maps names', 'gpt', 'qwen3-8b', listOf({ id: 'qwen3-8b', owned_by: 'openai' })],
	[
		'a router with one model',
		'gpt',
		'qwen3-8b',
		listOf({ ...llamaModel('qwen3-8b'), status: { value: 'loaded' } }),
	],
	['no list', 'llama-3', 'qwen3-8b', undefined],
])('reports nothing for %s', (_case, requested, answered, list) => {
	expect(otherModelIn({ requested, answered, list })).toBeUndefined();
});

test('property: only a list with exactly the answering model, without the requested one, is evidence', () => {
	const name = fc.constantFrom('a', 'b', 'c', '/m/a.gguf', 'A.gguf', 'b-00001-of-00002.gguf', '');
	const model = fc.record({
		id: name,
		aliases: fc.array(name, { maxLength: 2 }),
		owned_by: fc.constantFrom('llamacpp', 'openai', 'llamacpp'),
	});
	const bare = (text: string) =>
		text
			.toLowerCase()
			.replace(/^.*\//, '')
			.replace(/(-\d+-of-\d+)?\.gguf$/, '');
	fc.assert(
		fc.property(
			name,
			fc.option(name, { nil: undefined }),
			fc.array(model, { maxLength: 2 }),
			(requested, answered, data) => {
				const other = otherModelIn({ requested, answered, list: listOf(...data) });
				if (other === undefined) return;
				const named = data.filter(({ id }) => id !== '');
				const names = named.flatMap(({ id, aliases }) => [id, ...aliases]).map(bare);
				expect(new Set(named.map(({ id }) => id)).size).toBe(1);
				expect(names).toContain(bare(answered!));
				expect(names).not.toContain(bare(requested));
			},
		),
	);
});

describe('in an answer', () => {
	const ask = async (url: string, model: string, extraBody?: Record<string, unknown>) => {
		const client = new ChatClient(localLlamaConnection({ baseUrl: url }), {
			...PLAIN_SETTINGS,
			model,
			parameters: { extraBody },
		});
		return await readToEnd(client.generate({ messages: [{ type: 'human', content: 'Hi' }] }));
	};

	test('llama-server, another name: a note with both names', async () => {
		const { url } = await start();
		const { notes } = await ask(url, 'qwen3-8b');
		expect(notes).toEqual([
			'The server does not have the model "qwen3-8b" and answered with "sim-model", its only one. Choose that in the node, or start the server with the other one.',
		]);
	});

	test('llama-server behind a proxy that hides its name: the note all the same', async () => {
		const { url } = await startProxy((await start()).url, { dropsServer: true });
		expect((await ask(url, 'qwen3-8b')).notes.join()).toContain('"sim-model", its only one');
		expect((await ask(url, 'sim-model')).notes).toEqual([]);
	});

	test('a gateway with names of its own that passes on the answer of llama-server: no note', async () => {
		const sim = await start();
		const litellm = { id: 'qwen3-8b', created: 1_677_610_602, owned_by: 'openai' };
		sim.route('GET /v1/models', reply.json({ object: 'list', data: [litellm] }));
		const { url } = await startProxy(sim.url, { dropsServer: true });
		expect((await ask(url, 'qwen3-8b')).notes).toEqual([]);
	});

	test('llama-server, its own name: no note and no further request', async () => {
		const sim = await start();
		const { notes } = await ask(sim.url, 'sim-model');
		expect(notes).toEqual([]);
	});

	test('the name in Extra Body is the one that was sent', async () => {
		const { url } = await start();
		expect((await ask(url, 'sim-model', { model: 'mine' })).notes.join()).toContain('"mine"');
		expect((await ask(url, 'mine', { model: 'sim-model' })).notes).toEqual([]);
	});

	test.each(['vllm', 'ollama'] as const)(
		'%s, which says what was requested: no note',
		async (profile) => {
			const { url } = await start({ profile });
			const { notes } = await ask(url, 'sim-model');
			expect(notes).toEqual([]);
		},
	);
});
