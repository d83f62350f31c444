import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { check, finding, ids, SESAME } from '../support';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function simWithKey(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

describe('llama-server with one model', () => {
	/** Generations that take as long as the test likes; the answer ends them. */
	function occupy(generations: number): () => Promise<void> {
		const abort = new AbortController();
		const working = Array.from({ length: generations }, async () => {
			const answer = await fetch(`${server.url}/v1/chat/completions`, {
				method: 'POST',
				headers: { authorization: `Bearer ${SESAME}` },
				body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }], stream: true }),
				signal: abort.signal,
			});
			await answer.text();
		});
		const ended = Promise.allSettled(working);
		return async () => {
			abort.abort();
			await ended;
			await server.until(() => !server.slots().some(({ busy }) => busy));
		};
	}

	it('busy slots with a queue: a warning, still healthy (row 24)', async () => {
		await simWithKey({ slots: 1, metrics: true, tokenDelayMs: 60_000 });
		const release = occupy(3);
		await server.until(() => server.queued === 2);
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'healthy', slots: { total: 1, busy: 1 }, queue: 2 });
		expect(finding(result, 'queued')).toMatchObject({
			severity: 'warning',
			observed: '/metrics says 2 waiting, 1 running',
			meaning: '2 requests wait for a slot; the server has 1',
		});
		await release();
	});

	it('fewer slots than requests that the credential lets through (row 24)', async () => {
		await simWithKey({ slots: 2 });
		const through = await check(server.url, {}, { maxConcurrentRequests: 8 });
		expect(through.status).toBe('healthy');
		expect(finding(through, 'moreRequestsThanSlots').advice).toContain(
			'Max Concurrent Requests in the credential to 2',
		);
	});

	it('small context of a server for embeddings: no warning', async () => {
		await simWithKey({ nCtx: 512, embeddings: true });
		expect(ids(await check(server.url))).not.toContain('contextSmall');
	});

	it('small context: a warning, an error where more is needed (row 25)', async () => {
		await simWithKey({ nCtx: 2048, slots: 2 });
		const result = await check(server.url);
		expect(result.status).toBe('healthy');
		expect(finding(result, 'contextSmall')).toMatchObject({
			severity: 'warning',
			observed: '/props says n_ctx 2048 in each of 2 slots',
		});
		expect(finding(result, 'contextSmall').advice).toContain(
			'--ctx-size 16384 --kv-unified. Without --kv-unified, each of 2 slots can get 1/2 of the context: then --ctx-size 32768.',
		);
		const needed = await check(server.url, { expectations: { minContext: 4096 } });
		expect(needed.status).toBe('misconfigured');
		expect(ids(needed)).not.toContain('contextSmall');
		expect(finding(needed, 'contextTooSmall').advice).toContain('--ctx-size 8192');
	});
});

describe("llama-server's router", () => {
	it('each model has its own slots: they are not added up', async () => {
		await simWithKey({
			profile: 'router',
			slots: 2,
			models: ['a', 'b', 'c'].map((id) => ({ id, status: 'loaded' as const })),
		});
		const limit = { maxConcurrentRequests: 3 };
		const any = await check(server.url, {}, limit);
		expect(any.slots?.total).toBe(2);
		expect(finding(any, 'moreRequestsThanSlots').advice).toContain('to 2');
	});

	it('models with different numbers of slots: that of the needed one counts, and none where none is named', async () => {
		await simWithKey({
			profile: 'router',
			models: ['a', 'b'].map((id) => ({ id, status: 'loaded' as const })),
		});
		const slotsOf = (model: string) => ({ total_slots: model === 'a' ? 1 : 8 });
		server.route('GET /props', ({ query }) => {
			const model = query.get('model');
			return reply.json(model === null ? { role: 'router' } : slotsOf(model));
		});
		expect((await check(server.url)).slots?.total).toBeNull();
		const needed = await check(
			server.url,
			{ expectations: { model: 'a' } },
			{ maxConcurrentRequests: 4 },
		);
		expect(needed.slots?.total).toBe(1);
		expect(finding(needed, 'moreRequestsThanSlots').observed).toContain('total_slots 1');
	});

	it('the short context of an embedding model beside a chat model is no reason for a warning', async () => {
		await simWithKey({
			profile: 'router',
			models: ['chat', 'embed'].map((id) => ({ id, status: 'loaded' as const })),
		});
		const entry = (id: string, more: string[]) => ({
			id,
			owned_by: 'llamacpp',
			status: { value: 'loaded', args: ['llama-server', ...more] },
		});
		server.route(
			'GET /v1/models',
			reply.json({ data: [entry('chat', []), entry('embed', ['--embeddings'])] }),
		);
		server.route('GET /props', ({ query }) => {
			const model = query.get('model');
			const context = {
				default_generation_settings: { n_ctx: model === 'chat' ? 32_768 : 512 },
				total_slots: 1,
			};
			return reply.json(model === null ? { role: 'router' } : context);
		});
		const both = await check(server.url);
		expect(both).toMatchObject({ status: 'healthy', contextPerSlot: 32_768 });
		expect(ids(both)).not.toContain('contextSmall');
		const embed = await check(server.url, { expectations: { model: 'embed' } });
		expect(embed.contextPerSlot).toBe(512);
	});
});

describe('Ollama', () => {
	it('runs on the CPU, or half in the GPU', async () => {
		await simWithKey({ profile: 'ollama', models: [{ id: 'a' }] });
		expect(finding(await check(server.url), 'partlyOnCpu').meaning).toBe(
			'Ollama runs the model "a" on the CPU',
		);
		server.route(
			'GET /api/ps',
			reply.json({ models: [{ name: 'a', size: 1000, size_vram: 400, context_length: 4096 }] }),
		);
		expect(finding(await check(server.url), 'partlyOnCpu').meaning).toBe(
			'Only 40 % of the model "a" is in the memory of the GPU',
		);
		server.route(
			'GET /api/ps',
			reply.json({ models: [{ name: 'a', size: 1000, size_vram: 1000, context_length: 4096 }] }),
		);
		expect(await check(server.url)).toMatchObject({ healthy: true, findings: [] });
	});
});
