import { ChatClient } from '../../../../lib/chat/client';
import type { ChatSettings } from '../../../../lib/chat/request/request';
import { generationInfoOf } from '../../../../lib/langchain/generation-info';
import { connectTo } from '../../../../lib/servers/connect';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { PLAIN_SETTINGS } from '../chat-settings';
import { clearSharedCaches } from '../../../../lib/lru-cache';

const startServer = useSimulator(startLlamaServerSim);
const start = async (options: SimOptions = {}) => await startServer(options);

async function run(sim: LlamaServerSim, settings: Partial<ChatSettings>) {
	const client = new ChatClient(connectTo({ baseUrl: sim.url }), {
		...PLAIN_SETTINGS,
		...settings,
	});
	const answer = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
	let next = await answer.next();
	while (!next.done) next = await answer.next();
	return next.value;
}
const bodies = (sim: LlamaServerSim) =>
	sim.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as Record<string, unknown>);
const asked = (sim: LlamaServerSim, path: string) =>
	sim.requests.filter((request) => request.path === path).length;

const REUSE = { parameters: { cacheReuse: 128 } };

describe('Cache Reuse', () => {
	it('goes to llama-server, and the log has the share of the cache', async () => {
		const sim = await start();
		await run(sim, REUSE);
		const answer = await run(sim, REUSE);
		expect(bodies(sim)[0]).toMatchObject({ n_cache_reuse: 128 });
		expect(answer.notes).toEqual([]);
		expect(generationInfoOf(answer).promptCache).toMatch(/^9\d %$/);
		expect(asked(sim, '/props')).toBe(1);
	});

	it.each([
		['vllm', 'vLLM'],
		['ollama', 'Ollama'],
		['fastapi', 'An OpenAI-compatible server'],
	] as const)('does not go to %s', async (profile, label) => {
		const sim = await start({ profile });
		const answer = await run(sim, REUSE);
		expect(bodies(sim)[0]).not.toHaveProperty('n_cache_reuse');
		expect(answer.notes).toEqual([
			`This server (${label}) ignores these options, so they were not sent: Cache Reuse`,
		]);
	});

	it.each([{ vision: true }, { audio: true }])(
		'is off with a projector, with a hint: %j',
		async (options) => {
			const sim = await start(options);
			const answer = await run(sim, REUSE);
			expect(bodies(sim)[0]).not.toHaveProperty('n_cache_reuse');
			expect(answer.notes).toEqual([
				expect.stringContaining('Cache Reuse is off for this model') as string,
			]);
		},
	);

	it('a router shows it in its list, so that no model is loaded for the check', async () => {
		const sim = await start({ profile: 'router', models: [{ id: 'sim-model', status: 'loaded' }] });
		sim.route(
			'GET /v1/models',
			reply.json({
				data: [
					{
						id: 'sim-model',
						owned_by: 'llamacpp',
						status: { value: 'loaded', args: ['llama-server', '--mmproj', 'mmproj.gguf'] },
					},
				],
			}),
		);
		const answer = await run(sim, REUSE);
		expect(answer.notes).toEqual([expect.stringContaining('--mmproj') as string]);
		expect(asked(sim, '/props')).toBe(0);
	});

	it('0 asks nothing', async () => {
		const sim = await start({ vision: true });
		expect((await run(sim, { parameters: { cacheReuse: 0 } })).notes).toEqual([]);
		expect(asked(sim, '/props')).toBe(0);
	});

	it('a server that does not report it gets the option', async () => {
		const sim = await start();
		sim.route('GET /props', reply.error(403, 'forbidden'));
		await run(sim, REUSE);
		expect(bodies(sim)[0]).toMatchObject({ n_cache_reuse: 128 });
	});
});

describe('LoRA adapters', () => {
	const lora = [
		{ id: 0, scale: 0.5 },
		{ id: 3, scale: 1 },
	];

	it('go with the request; one that the server does not have is named, asked once', async () => {
		const sim = await start();
		sim.route('GET /lora-adapters', reply.json([{ id: 0, path: '/models/lora1.gguf', scale: 1 }]));
		const answer = await run(sim, { parameters: { lora } });
		await run(sim, { parameters: { lora } });
		expect(bodies(sim)[0]).toMatchObject({ lora });
		expect(answer.notes).toEqual([
			'This llama-server has no LoRA adapter with the ID 3, and ignores it without a word: it has 0 (lora1.gguf).',
		]);
		expect(asked(sim, '/lora-adapters')).toBe(1);
	});

	it('of a server that was started without any', async () => {
		const sim = await start();
		const { notes } = await run(sim, { parameters: { lora } });
		expect(notes).toEqual([expect.stringContaining('it was started without --lora') as string]);
	});

	it('that are there need no remark; a server that does not tell gets them', async () => {
		const sim = await start();
		sim.route('GET /lora-adapters', reply.json([{ id: 0 }, { id: 3 }]));
		expect((await run(sim, { parameters: { lora } })).notes).toEqual([]);
		clearSharedCaches();
		sim.route('GET /lora-adapters', reply.error(404, 'nope'));
		expect((await run(sim, { parameters: { lora } })).notes).toEqual([]);
	});
});
