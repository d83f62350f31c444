import { changeModel } from '../../../../lib/servers/manage/model-work';
import type { ChangeOptions } from '../../../../lib/servers/kinds/work';
import { localLlamaConnection } from '../../../../lib/servers/credential';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { SESAME } from '../../health/support';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

function target(credential: object = {}) {
	return localLlamaConnection({ baseUrl: server.url, apiKey: SESAME, ...credential });
}

async function change(
	action: 'load' | 'unload',
	model: string,
	options: Partial<ChangeOptions> = {},
) {
	return await changeModel(target(), action, {
		model,
		wait: true,
		limitMs: 60_000,
		pauseMs: 10,
		...options,
	});
}

describe('the router of llama-server', () => {
	it('loads a model and waits until it is there', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', aliases: ['b'], loadMs: 60 }] });
		expect(await change('load', 'b')).toEqual({
			model: 'big',
			server: 'llamaRouter',
			before: 'unloaded',
			state: 'loaded',
			changed: true,
			tookMs: expect.any(Number) as number,
		});
		expect(server.models[0]!.status).toBe('loaded');
		expect(await change('load', 'big')).toMatchObject({
			before: 'loaded',
			state: 'loaded',
			changed: false,
		});
	});

	it('loads without waiting', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', loadMs: 60_000 }] });
		expect(await change('load', 'big', { wait: false })).toMatchObject({
			state: 'loading',
			changed: true,
		});
	});

	it('waits for a load that somebody else began', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', loadMs: 1500 }] });
		await change('load', 'big', { wait: false });
		expect(await change('load', 'big')).toMatchObject({ before: 'loading', state: 'loaded' });
	});

	it('unloads, and leaves alone what is not loaded', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
		expect(await change('unload', 'big')).toMatchObject({
			before: 'loaded',
			state: 'unloaded',
			changed: true,
		});
		expect(await change('unload', 'big')).toMatchObject({ changed: false });
		expect(server.requests.filter(({ path }) => path === '/models/unload')).toHaveLength(1);
	});

	describe('unloading while the model answers, which would cut the answer off (seen: v0.5.0)', () => {
		const SLOTS = 'GET /slots';
		const METRICS = 'GET /metrics';
		const unloads = () => server.requests.filter(({ path }) => path === '/models/unload').length;
		const metrics = (processing: number, deferred = 0) =>
			reply.error(
				200,
				`# HELP x\nllamacpp:requests_processing ${processing}\nllamacpp:requests_deferred ${deferred}\n`,
			);

		it('waits for the end of the answer, then unloads', async () => {
			await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
			let looks = 0;
			server.route(METRICS, reply.error(501, {}));
			server.route(SLOTS, () => {
				looks++;
				expect(unloads()).toBe(0);
				return reply.json([
					{ id: 0, is_processing: looks < 3 },
					{ id: 1, is_processing: false },
				]);
			});
			expect(await change('unload', 'big')).toMatchObject({
				state: 'unloaded',
				changed: true,
				sawNoAnswers: true,
			});
			expect([looks, unloads()]).toEqual([3, 1]);
			const { query } = server.requests.find(({ path }) => path === '/slots')!;
			expect([query.get('model'), query.get('autoload')]).toEqual(['big', 'false']);
		});

		it('requests that wait for a slot count too, where there are metrics', async () => {
			await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
			const seen = [metrics(1, 2), metrics(0, 1), metrics(0, 0)];
			server.route(METRICS, () => seen.shift()!);
			expect(await change('unload', 'big')).toMatchObject({
				state: 'unloaded',
				sawNoAnswers: true,
			});
			expect([seen.length, unloads()]).toEqual([0, 1]);
		});

		it('answers for longer than the limit: is left alone, and says why', async () => {
			await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
			server.route(METRICS, metrics(2));
			await expect(change('unload', 'big', { limitMs: 50, pauseMs: 1 })).rejects.toMatchObject({
				kind: 'busy',
				message: expect.stringContaining(
					'The model "big" is still answering 2 requests after 50 ms, so it was not unloaded',
				) as string,
				facts: { running: 2 },
			});
			expect([unloads(), server.models[0]!.status]).toEqual([0, 'loaded']);
		});

		it('is refused where nobody wants to wait', async () => {
			await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
			server.route(METRICS, metrics(1));
			await expect(change('unload', 'big', { wait: false })).rejects.toMatchObject({
				kind: 'busy',
				message: expect.stringContaining(
					'The model "big" is answering 1 request, which unloading it would cut off',
				) as string,
			});
			expect(unloads()).toBe(0);
		});

		it('a router that shows neither metrics nor slots: unloads, and says that nobody could look', async () => {
			await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
			server.route(METRICS, reply.error(501, {}));
			server.route(SLOTS, reply.error(501, {}));
			expect(await change('unload', 'big')).toMatchObject({
				state: 'unloaded',
				sawNoAnswers: false,
			});
		});

		it('the check does not wake a sleeping model', async () => {
			await sim({ profile: 'router', models: [{ id: 'big', status: 'sleeping' }] });
			server.route('POST /models/unload', () => {
				server.models[0]!.status = 'unloaded';
				return reply.json({ success: true });
			});
			expect(await change('unload', 'big')).toMatchObject({
				before: 'sleeping',
				state: 'unloaded',
			});
			expect(server.requests.some(({ path }) => path === '/slots' || path === '/metrics')).toBe(
				false,
			);
		});
	});

	it('a model that cannot be loaded: exit code and advice', async () => {
		await sim({ profile: 'router', models: [{ id: 'huge', exitCode: 137, loadMs: 20 }] });
		await expect(change('load', 'huge')).rejects.toMatchObject({
			kind: 'modelFailedToLoad',
			facts: { exitCode: 137 },
			remedy: expect.stringContaining('memory') as string,
		});
	});

	it('takes longer than the limit', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', loadMs: 60_000 }] });
		await expect(change('load', 'big', { limitMs: 60 })).rejects.toMatchObject({
			kind: 'loading',
			message: expect.stringContaining('after 60 ms') as string,
		});
	});

	it('does not know the model: names those it has', async () => {
		await sim({ profile: 'router', models: [{ id: 'big' }, { id: 'small' }] });
		await expect(change('load', 'qwen')).rejects.toMatchObject({
			kind: 'modelNotFound',
			remedy: expect.stringContaining('Use one of: big, small.') as string,
		});
	});

	it('refuses: its own words', async () => {
		await sim({ profile: 'router', models: [{ id: 'big' }] });
		server.route(
			'POST /models/load',
			reply.llamaError(400, 'no more memory', 'invalid_request_error'),
		);
		await expect(change('load', 'big')).rejects.toMatchObject({
			kind: 'badRequest',
			serverText: 'no more memory',
		});
	});

	it('refuses with status 200', async () => {
		await sim({ profile: 'router', models: [{ id: 'big' }] });
		server.route('POST /models/load', reply.json({ success: false, error: 'no memory' }));
		await expect(change('load', 'big', { wait: false })).rejects.toMatchObject({
			serverText: 'no memory',
		});
	});

	it('has already loaded it', async () => {
		await sim({ profile: 'router', models: [{ id: 'big' }] });
		server.route('POST /models/load', () => {
			server.models[0]!.status = 'loaded';
			return reply.llamaError(400, 'model is already running', 'invalid_request_error');
		});
		expect(await change('load', 'big')).toMatchObject({ state: 'loaded', changed: true });
	});
});

describe('Ollama', () => {
	async function ollama(running: string[]): Promise<void> {
		await sim({ profile: 'ollama', models: [{ id: 'qwen3:latest' }] });
		const loaded = new Set(running);
		server.route('GET /api/ps', () =>
			reply.json({ models: [...loaded].map((name) => ({ name })) }),
		);
		// Ollama's API: a generation without a prompt loads, `keep_alive: 0` unloads.
		server.route('POST /api/generate', ({ body }) => {
			const {
				model,
				keep_alive: keepAlive,
				prompt,
			} = body as { model: string; keep_alive?: number; prompt?: string };
			if (prompt !== undefined) return reply.error(500, { error: 'this would generate' });
			if (!/^qwen3(:latest)?$/i.test(model))
				return reply.error(404, { error: `model '${model}' not found` });
			if (keepAlive === 0) loaded.delete('qwen3:latest');
			else loaded.add('qwen3:latest');
			return reply.json({
				model,
				created_at: '',
				response: '',
				done: true,
				done_reason: keepAlive === 0 ? 'unload' : 'load',
			});
		});
	}

	it('loads and unloads through a generation without a prompt', async () => {
		await ollama([]);
		expect(await change('load', 'qwen3')).toMatchObject({
			server: 'ollama',
			before: 'unloaded',
			state: 'loaded',
			changed: true,
		});
		expect(await change('load', 'qwen3')).toMatchObject({ changed: false });
		expect(await change('unload', 'qwen3')).toMatchObject({
			before: 'loaded',
			state: 'unloaded',
			changed: true,
		});
		expect(
			server.requests.filter(({ path }) => path === '/api/generate').map(({ body }) => body),
		).toEqual([
			{ model: 'qwen3', stream: false },
			{ model: 'qwen3', stream: false, keep_alive: 0 },
		]);
	});

	it('an error with status 200 is none of a model that was loaded', async () => {
		await ollama([]);
		server.route(
			'POST /api/generate',
			reply.json({ error: 'llama runner process has terminated: out of memory' }),
		);
		await expect(change('load', 'qwen3')).rejects.toMatchObject({
			kind: 'serverError',
			serverText: 'llama runner process has terminated: out of memory',
		});
	});

	it('takes a name in any case', async () => {
		await ollama(['qwen3:latest']);
		expect(await change('unload', 'Qwen3')).toMatchObject({
			before: 'loaded',
			state: 'unloaded',
			changed: true,
		});
	});

	it('waits until the memory is free: Ollama answers before', async () => {
		await ollama(['qwen3:latest']);
		let looks = 0;
		const unloading = () =>
			server.requests.some(({ path }) => path === '/api/generate') && (looks += 1) > 3;
		server.route('GET /api/ps', () =>
			reply.json({ models: unloading() ? [] : [{ name: 'qwen3:latest' }] }),
		);
		expect(await change('unload', 'qwen3', { pauseMs: 1 })).toMatchObject({
			before: 'loaded',
			state: 'unloaded',
			changed: true,
		});
		expect(looks).toBe(4);
	});

	it('says that a model which is answering stays', async () => {
		await ollama(['qwen3:latest']);
		server.route('GET /api/ps', () => reply.json({ models: [{ name: 'qwen3:latest' }] }));
		await expect(change('unload', 'qwen3', { limitMs: 4_000 })).rejects.toMatchObject({
			kind: 'loading',
			message: expect.stringContaining('The model "qwen3" is still in memory after 4 s') as string,
			remedy: expect.stringContaining('until it has answered') as string,
		});
	});

	it('does not know the model', async () => {
		await ollama([]);
		await expect(change('load', 'mistral')).rejects.toMatchObject({
			kind: 'modelNotFound',
			serverText: "model 'mistral' not found",
		});
	});
});

it.each([
	['llama-server', '--models-dir'],
	['vllm', 'llama-server (router)'],
	['gpustack', 'llama-server (router)'],
	['fastapi', 'llama-server (router)'],
] as const)('%s cannot do it: says who can', async (profile, who) => {
	await sim({ profile });
	await expect(change('load', 'sim-model')).rejects.toMatchObject({
		kind: 'notSupported',
		remedy: expect.stringContaining(who) as string,
	});
});

it('wants a name', async () => {
	await sim();
	await expect(change('load', ' ')).rejects.toMatchObject({ kind: 'invalidInput' });
});
