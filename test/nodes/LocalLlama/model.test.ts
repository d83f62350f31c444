import { recordedExchanges } from '../../support/files/recorded-exchanges';
import { reply } from '../../simulators/llama-server';
import type { WireRequest } from '../../simulators/llama-server';
import { useLocalLlama } from './run-node';
import { createProgressReporter, models } from '../../../nodes/LocalLlama/model';
import { setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

const { serve, prepare, executeIn, execute, json, getError, getBodies } = useLocalLlama();
const buildParameters = (operation: string, overrides: object = {}) => ({
	resource: 'model',
	operation,
	...overrides,
});
const withModel = (operation: string, model: string, options: object = {}) =>
	buildParameters(operation, { model: { __rl: true, mode: 'list', value: model }, options });
const posts = (sim: Awaited<ReturnType<typeof serve>>) =>
	sim.requests.filter(({ method }) => method === 'POST').map(({ path }) => path);
/** Responses of Ollama 0.17.4. */
const exchange = (name: string) =>
	recordedExchanges('ollama-v0.17.4/models').find((entry) => entry.name === name)!.answer;
const toRoute = (name: string) => {
	const { status, text = '', headers } = exchange(name);
	const type = headers.find(([header]) => header === 'Content-Type')?.[1] ?? '';
	return type.includes('ndjson') || text === ''
		? reply.html(status, text)
		: reply.error(status, JSON.parse(text));
};
const ollama = async (routes: Record<string, string> = {}) => {
	const sim = await serve({ profile: 'ollama', models: [{ id: 'smol:latest' }] });
	for (const [route, name] of Object.entries(routes)) sim.route(route, toRoute(name));
	return sim;
};

describe('Get Many', () => {
	const GET_ALL = buildParameters('getAll');

	it('returns one item per model, once for all input items', async () => {
		const sim = await serve({
			profile: 'router',
			models: [{ id: 'big', status: 'loaded', aliases: ['huge'] }, { id: 'small' }],
		});
		const items = await execute({ items: [{ json: {} }, { json: {} }], parameters: GET_ALL });
		expect(items.map((item) => [item.json.id, item.json.state, item.pairedItem])).toEqual([
			['big', 'loaded', { item: 0 }],
			['small', 'unloaded', { item: 0 }],
		]);
		expect(sim.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(1);
		expect(items[0]!.json).not.toHaveProperty('loaded');
		expect(items.map((item) => item.json.aliases)).toEqual([['huge'], undefined]);
		const loaded = await execute({ parameters: { ...GET_ALL, options: { onlyLoaded: true } } });
		expect(loaded.map((item) => item.json.id)).toEqual(['big']);
	});

	it('returns the models of a server that reports no state, also with Only Loaded Models', async () => {
		await serve({ profile: 'vllm', models: [{ id: 'one' }, { id: 'two' }] });
		const loaded = await execute({ parameters: { ...GET_ALL, options: { onlyLoaded: true } } });
		expect(loaded.map((item) => item.json.id)).toEqual(['one', 'two']);
	});

	it('returns the trained context of a model if Ollama lists it (0.33)', async () => {
		const sim = await serve({ profile: 'ollama' });
		const details = { family: 'llama', parameter_size: '134.52M', context_length: 8192 };
		sim.route('GET /api/tags', reply.json({ models: [{ name: 'sim-model', details }] }));
		const [item] = await execute({ parameters: GET_ALL });
		expect(item!.json).toMatchObject({ id: 'sim-model', trainedContext: 8192 });
	});

	it('fails without a list, with a suggestion', async () => {
		await serve({ apiKey: 'another' });
		expect(await getError(GET_ALL)).toMatchObject({
			message: 'Invalid API Key' as string,
			description: expect.stringContaining('--api-key') as string,
		});
	});
});

test.each(['load', 'unload', 'delete'])('%s requires a model', (name) => {
	const { fields } = models.operations.find(({ value }) => value === name)!;
	expect(fields[0]).toMatchObject({ name: 'model', required: true });
});

describe('Load', () => {
	it('an unknown model is answered with the models that work, not with a crashed one', async () => {
		await serve({ profile: 'router', models: [{ id: 'works' }, { id: 'crashed', exitCode: 1 }] });
		const wrong = { model: { __rl: true, mode: 'id', value: 'wrong' } };
		const chat = { resource: 'text', operation: 'chat', prompt: 'Hi', ...wrong };
		const load = { resource: 'model', operation: 'load', ...wrong };
		for (const parameters of [chat, load]) {
			const { description } = await getError(parameters);
			expect(description).toContain('works');
			expect(description).not.toContain('crashed');
		}
	});

	it('waits until a router has loaded the model', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		expect(await json(withModel('load', 'big'))).toMatchObject({
			model: 'big',
			state: 'loaded',
			changed: true,
		});
		expect(sim.models).toMatchObject([{ id: 'big', status: 'loaded' }]);
	});

	it('a loaded model is not changed', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
		expect(await json(withModel('load', 'big'))).toMatchObject({
			model: 'big',
			state: 'loaded',
			changed: false,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('if a router cannot load the model, the error names the exit code', async () => {
		await serve({ profile: 'router', models: [{ id: 'broken', exitCode: 1 }] });
		expect(await getError(withModel('load', 'broken'))).toMatchObject({
			message: expect.stringContaining('could not load the model') as string,
			description: expect.stringContaining('exited with code 1') as string,
			context: { data: { exitCode: 1 } },
		});
	});

	it('ends immediately on Stop, and leaves nothing running on the server', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 3_600_000 }] });
		const cancel = new AbortController();
		const pending = execute({
			parameters: withModel('load', 'big'),
			signal: cancel.signal,
		}).catch((error: unknown) => error);
		await sim.until(() => posts(sim).length > 0);
		cancel.abort();
		expect(await pending).toBeInstanceOf(Error);
	});

	it('is not sent after Stop', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 3_600_000 }] });
		const cancel = new AbortController();
		const setup = { parameters: withModel('load', 'big'), signal: cancel.signal };
		const pending = execute(setup).catch((error: unknown) => error);
		cancel.abort();
		expect(await pending).toMatchObject({
			message: expect.stringContaining('The execution was stopped') as string,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('a timeout is an error if the node waits', async () => {
		await serve({ profile: 'router', models: [{ id: 'big', loadMs: 3_600_000 }] });
		expect(
			(await getError(withModel('load', 'big', { timeout: 1, wait: true }))).message,
		).toContain('1 s');
		expect(await json(withModel('load', 'big', { wait: 'false' }))).toMatchObject({
			model: 'big',
			state: 'loading',
		});
	});

	it.each([
		['without a model', withModel('load', ''), 'No model is selected'],
		[
			'a pull without a name',
			buildParameters('pull', { modelName: ' ' }),
			'The field "Model Name" is empty',
		],
		[
			'with a limit that makes no sense',
			withModel('load', 'big', { timeout: 'soon' }),
			'"Wait Timeout (Seconds)"',
		],
		[
			'with a switch that is neither',
			withModel('unload', 'big', { wait: 'ja' }),
			'"Wait Until Done"',
		],
	])('%s sends nothing to the server', async (_how, parameters, message) => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect((await getError(parameters)).message).toContain(message);
		expect(posts(sim)).toEqual([]);
	});
});

describe('Unload', () => {
	it('unloads a model of a router', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		await json(withModel('load', 'big'));
		expect(await json(withModel('unload', 'big', { wait: false }))).toMatchObject({
			state: 'unloaded',
		});
		expect(sim.models).toMatchObject([{ id: 'big', status: 'unloaded' }]);
	});

	describe('a model that is responding', () => {
		const serveBusy = async () => {
			const sim = await serve({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
			sim.route('GET /slots', reply.json([{ is_processing: true }]));
			return sim;
		};

		it('is not unloaded, and without Wait Until Done that is an error', async () => {
			const sim = await serveBusy();
			const { message } = await getError(withModel('unload', 'big', { wait: false }));
			expect(message).toContain('is processing 1 request');
			expect(posts(sim)).toEqual([]);
		});

		it('is unloaded with Force Unload, without a question whether it responds', async () => {
			const sim = await serveBusy();
			expect(await json(withModel('unload', 'big', { force: true }))).toMatchObject({
				before: 'loaded',
				state: 'unloaded',
				changed: true,
			});
			expect(posts(sim)).toEqual(['/models/unload']);
			expect(sim.requests.map(({ path }) => path)).not.toContain('/slots');
		});
	});

	it('a model that is not loaded is not changed', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect(await json(withModel('unload', 'big'))).toMatchObject({
			model: 'big',
			state: 'unloaded',
			changed: false,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('for a missing model, the error names the existing ones', async () => {
		await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect((await getError(withModel('unload', 'small'))).description).toContain('big');
	});
});

describe('Pull', () => {
	const pull = (modelName = 'tiny', options: object = {}) =>
		buildParameters('pull', { modelName, options });

	it('ends when Ollama reports success: the size, and the downloaded bytes', async () => {
		await ollama({ 'POST /api/pull': 'pull-progress' });
		const pullResult = await json(pull('tiny', { insecure: true }));
		expect(pullResult).toMatchObject({
			model: 'tiny',
			server: 'ollama',
			state: 'success',
			changed: true,
		});
		expect(pullResult.size).toBeGreaterThan(3_000_000);
		expect(getBodies('/api/pull')).toEqual([{ model: 'tiny', insecure: true, stream: true }]);
	});

	it('fails if the stream ends without success', async () => {
		const sim = await ollama();
		const [firstResult] = exchange('pull-progress').text!.split('\n');
		sim.route('POST /api/pull', reply.html(200, `${firstResult}\n`));
		expect((await getError(pull())).message).toContain(
			'stopped before the download of the model "tiny" was complete',
		);
	});

	it('ends if the registry has lost the data and Ollama repeats the same line', async () => {
		const sim = await ollama();
		const lines = exchange('pull-blob-missing').text!.trim().split('\n');
		let hasEnded = false;
		async function* endlessLines() {
			yield `${lines.join('\n')}\n`;
			while (!hasEnded) {
				await delay(20);
				yield `${lines.at(-1)!}\n`;
			}
		}
		sim.route('POST /api/pull', reply.sse(endlessLines()));
		expect((await getError(pull('tiny', { idleTimeout: 0.3 }))).message).toMatch(/0\.3 s|300 ms/);
		hasEnded = true;
	});

	it('streams its progress to the chat', async () => {
		await ollama({ 'POST /api/pull': 'pull-progress' });
		const fake = prepare({ parameters: pull(), streaming: true });
		await executeIn(fake);
		const chatText = fake.chunks.map(({ content }) => content ?? '').join('');
		expect(chatText).toContain('pulling manifest\n');
		expect(chatText).toContain('success\n');
	});

	it('reports each layer in percent, at most twice per second', async () => {
		const chatText: string[] = [];
		let time = 0;
		const type = createProgressReporter(
			{ chatStream: { write: async (text) => void chatText.push(text) } },
			() => time,
		);
		for (const { layer, total } of [
			{ layer: 'abc', total: 200 },
			{ layer: 'def', total: 400 },
		])
			for (let completed = 0; completed <= 100; completed++) {
				await type({ status: `pulling ${layer}`, digest: `sha256:${layer}`, total, completed });
				time += 100;
			}
		await type({ status: 'success' });
		const linesOf = (layer: string) => chatText.filter((line) => line.includes(layer)).slice(0, 3);
		expect(linesOf('abc')).toEqual([
			'pulling abc: 0 %\n',
			'pulling abc: 2 %\n',
			'pulling abc: 5 %\n',
		]);
		expect(linesOf('def')).toEqual([
			'pulling def: 1 %\n',
			'pulling def: 2 %\n',
			'pulling def: 3 %\n',
		]);
		expect(chatText.at(-1)).toBe('success\n');
		expect(chatText.length).toBeLessThanOrEqual((2 * 10_100) / 500 + 2);
	});

	it('on a router, waits until the list contains the model', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'chat' }] });
		sim.route('POST /models', () => {
			sim.models.push({ id: 'user/repo:Q4_K_M', status: 'downloading' });
			setTimeout(() => (sim.models[1]!.status = 'downloaded'), 100);
			return reply.json({ success: true });
		});
		expect(await json(pull('user/repo'))).toMatchObject({
			server: 'llamaServer',
			state: 'success',
		});
		expect(getBodies('/models').filter(Boolean)).toEqual([{ model: 'user/repo' }]);
	});

	it('on a router, waiting is optional', async () => {
		const sim = await serve({ profile: 'router' });
		sim.route('POST /models', reply.json({ success: true }));
		expect(await json(pull('user/repo', { wait: false }))).toMatchObject({
			state: 'downloading',
		});
	});
});

it('Delete: a router deletes only models that it downloaded', async () => {
	const sim = await serve({ profile: 'router', models: [{ id: 'a/b:Q4' }] });
	sim.route(
		'DELETE /models',
		reply.llamaError(500, 'model name=a/b:Q4 is not removable (not from cache)'),
	);
	expect((await getError(buildParameters('delete', { model: 'a/b:Q4' }))).message).toBe(
		'model name=a/b:Q4 is not removable (not from cache)',
	);
	sim.route('DELETE /models', reply.llamaError(500, 'The disk is broken'));
	expect((await getError(withModel('delete', 'a/b:Q4'))).message).toBe('The disk is broken');
	sim.route('DELETE /models', ({ query }: WireRequest) =>
		reply.json({ success: query.get('model') === 'a/b:Q4' }),
	);
	expect(await json(buildParameters('delete', { model: 'a/b:Q4' }))).toMatchObject({
		deleted: true,
	});
	await sim.close();
	expect((await getError(withModel('delete', 'a/b:Q4'))).message).toContain('Nothing is listening');
});

test.each([
	[
		'serves one model',
		{},
		'serves a single model and cannot load, unload, download or delete models',
	],
	['rejects the key', { profile: 'fastapi', apiKey: 'another' }, 'Invalid API Key'],
] as const)('a server that %s is reported as such', async (_name, options, message) => {
	await serve(options);
	expect((await getError(buildParameters('delete', { model: 'a' }))).message).toContain(message);
});

test.each([404, 405, 501])(
	'a server without a model list (%i) does not support it',
	async (status) => {
		const sim = await serve({ profile: 'fastapi' });
		sim.route('GET /v1/models', reply.error(status, { detail: 'no list' }));
		sim.route('GET /models', reply.error(status, { detail: 'no list' }));
		expect((await getError(buildParameters('delete', { model: 'a' }))).message).toContain(
			'cannot delete models on request',
		);
	},
);

describe('changes that are not allowed', () => {
	const interval = [
		buildParameters('pull', { modelName: 'tiny' }),
		buildParameters('delete', { model: 'smol' }),
	];

	it.each(interval.map((entry) => [entry.operation, entry] as const))(
		'%s is rejected before any request',
		async (_name, parameters) => {
			const sim = await ollama();
			const error = await getError({ ...parameters, options: { allowChanges: false } });
			expect(error.message).toBe('Changes to the server are not allowed in this node');
			expect(sim.requests).toEqual([]);
		},
	);

	it.each(interval.map((entry) => [entry.operation, entry] as const))(
		'%s is off for an agent by default',
		async (_name, parameters) => {
			const sim = await ollama({
				'POST /api/pull': 'pull-again',
				'DELETE /api/delete': 'delete',
			});
			const type = 'n8n-nodes-local-llama.localLlamaTool';
			expect((await getError(parameters, { type })).message).toContain('not allowed');
			expect(sim.requests).toEqual([]);
			expect(
				await json({ ...parameters, options: { allowChanges: true } }, { type }),
			).toBeDefined();
		},
	);
});
