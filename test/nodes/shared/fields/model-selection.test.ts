import { sleepWithAbort } from '../../../../lib/http/sleep';
import type { ModelTask, ModelServer } from '../../../../lib/servers/types/server-type';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { toProperties } from '../../../../nodes/shared/fields/to-properties';
import {
	modelField,
	modelSearches,
	searchModels,
	withResolvedModel,
} from '../../../../nodes/shared/fields/model-selection';
import { reply, startLlamaServerSim } from '../../../simulators/llama-server';
import { editorContext } from '../../../support/n8n/editor-context';
import { withDeadline } from '../../../support/waiting/deadline';
import { useSimulator } from '../../../simulators/use-simulator';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

const startServer = useSimulator(startLlamaServerSim);
const KEY = 'secret-key-123';

async function search(baseUrl: string, filter?: string, apiKey = KEY) {
	const context = editorContext({ baseUrl, apiKey, authentication: 'bearer' });
	return await searchModels.call(context, filter);
}

describe('listed models', () => {
	const models = [
		{ id: 'qwen3-8b', status: 'loaded' as const, aliases: ['Thinker'] },
		{ id: 'gemma-3', status: 'unloaded' as const },
	];

	it.each([
		[undefined, ['qwen3-8b', 'gemma-3']],
		['', ['qwen3-8b', 'gemma-3']],
		[' GEMMA ', ['gemma-3']],
		['think', ['qwen3-8b']],
		['mistral', []],
	])('are those whose name or alias contains %j', async (filter, ids) => {
		const sim = await startServer({ profile: 'router', apiKey: KEY, models });
		expect((await search(sim.url, filter)).results.map(({ value }) => value)).toEqual(ids);
	});

	it('include embedding models only if there are no others', async () => {
		const vectors = { id: 'vectors', status: 'loaded' as const, embeddings: true };
		const found = async (all: Array<typeof vectors | (typeof models)[number]>) => {
			const sim = await startServer({ profile: 'router', apiKey: KEY, models: all });
			return (await search(sim.url)).results.map(({ value }) => value);
		};
		expect(await found([vectors, ...models])).toEqual(['qwen3-8b', 'gemma-3']);
		expect(await found([vectors])).toEqual(['vectors']);
	});

	it.each([
		{ what: 'one crashed', all: [{ id: 'a', exitCode: 1 }, { id: 'b' }], ids: ['b'] },
		{ what: 'one killed', all: [{ id: 'a' }, { id: 'b', exitCode: 137 }], ids: ['a'] },
		{
			what: 'all crashed',
			all: [
				{ id: 'a', exitCode: 1 },
				{ id: 'b', exitCode: 1 },
			],
			ids: ['a', 'b'],
		},
	])('a crashed model is not offered, unless nothing else is: $what', async ({ all, ids }) => {
		const sim = await startServer({ profile: 'router', apiKey: KEY, models: all });
		expect((await search(sim.url)).results.map(({ value }) => value)).toEqual(ids);
		const everything = editorContext({ baseUrl: sim.url, apiKey: KEY, authentication: 'bearer' });
		const { results } = await modelSearches.searchAllModels.call(everything);
		expect(results.map(({ value }) => value)).toEqual(all.map(({ id }) => id));
	});

	it('come last if only their name shows that they do not chat', async () => {
		const ids = ['bge-m3', 'Qwen/Qwen3-Reranker-4B', 'all-minilm:33m', 'qwen3-8b', 'budge-it'];
		const sim = await startServer({ apiKey: KEY });
		sim.route('GET /v1/models', reply.json({ data: ids.map((id) => ({ id })) }));
		const expected = ['qwen3-8b', 'budge-it', 'bge-m3', 'Qwen/Qwen3-Reranker-4B', 'all-minilm:33m'];
		expect((await search(sim.url)).results.map(({ value }) => value)).toEqual(expected);
		const server = createModelServer({ baseUrl: sim.url, apiKey: KEY }, NO_EXECUTION);
		await expect(
			withResolvedModel({ model: '' }, { server, modelTask: 'chat' }),
		).rejects.toMatchObject({
			suggestion: expect.stringContaining(`Use one of: ${expected.join(', ')}.`) as string,
		});
	});

	it('have the details that the server reports', async () => {
		const sim = await startServer({ profile: 'router', apiKey: KEY, models });
		const [loaded, other] = (await search(sim.url)).results;
		expect(loaded!.name).toMatch(/^qwen3-8b \(.*loaded\)$/);
		expect(other!.name).toMatch(/^gemma-3 \(.*not loaded\)$/);
	});

	it('that cannot be loaded are an error with cause and suggestion in one line, without the key', async () => {
		const sim = await startServer({ apiKey: KEY });
		const failed = (await search(sim.url, '', 'wrong-key-987').catch(
			(error: unknown) => error,
		)) as Error;
		expect(failed.message).toMatch(/^Invalid API Key\. Check the API Key/);
		expect(JSON.stringify([failed, failed.message])).not.toContain('wrong-key-987');
		await expect(search('http://')).rejects.toThrow(/Base URL/);
	});
});

describe('a model that is not set', () => {
	const models = [
		{ id: 'chatty', status: 'unloaded' as const },
		{ id: 'loaded-one', status: 'loaded' as const },
		{ id: 'vectors', status: 'loaded' as const, embeddings: true },
	];
	const chosen = async (server: ModelServer, use: ModelTask = 'chat') =>
		(await withResolvedModel({ model: '' }, { server, modelTask: use })).model;
	const at = (baseUrl: string) => createModelServer({ baseUrl }, NO_EXECUTION);

	it('the list is requested once for all items, and again after an error', async () => {
		const sim = await startServer({ alias: 'only-one' });
		const server = at(sim.url);
		sim.route('GET /v1/models', reply.error(500, { error: 'boom' }));
		await expect(chosen(server)).rejects.toThrow();
		sim.route('GET /v1/models', undefined);
		expect(await Promise.all([chosen(server), chosen(server), chosen(server)])).toEqual([
			'only-one',
			'only-one',
			'only-one',
		]);
		expect(sim.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(2);
	});

	it.each([429, 503])(
		'a list rejected with %i is requested again, with the retries',
		async (status) => {
			const sim = await startServer({ alias: 'only-one' });
			sim.route('GET /v1/models', () => {
				sim.route('GET /v1/models', undefined);
				return reply.error(status, { error: 'too many requests' });
			});
			const settings = { model: '', retries: 1 };
			expect(
				(await withResolvedModel(settings, { server: at(sim.url), modelTask: 'chat' })).model,
			).toBe('only-one');
		},
	);

	it('a server for images or audio may have no list, or list several models', async () => {
		const sim = await startServer();
		sim.route('GET /v1/models', reply.error(500, { error: 'no list' }));
		expect(await chosen(at(sim.url), 'transcription')).toBe('');
		const entry = (id: string) => ({ id, object: 'model', owned_by: 'me' });
		sim.route('GET /v1/models', reply.json({ data: [entry('one'), entry('two')] }));
		expect(await chosen(at(sim.url), 'speech')).toBe('');
		sim.route('GET /v1/models', reply.json({ data: [entry('one')] }));
		expect(await chosen(at(sim.url), 'images')).toBe('one');
	});

	it.each([
		{
			what: 'a crashed model beside an unloaded one',
			models: [{ id: 'a', exitCode: 1 }, { id: 'b' }],
			model: 'b',
		},
		{
			what: 'only a crashed model: its error says why',
			models: [{ id: 'a', exitCode: 1 }],
			model: 'a',
		},
		{
			what: 'a crashed model beside a loaded one',
			models: [
				{ id: 'a', exitCode: 139 },
				{ id: 'b', status: 'loaded' as const },
			],
			model: 'b',
		},
	])('a router does not use a crashed model: $what', async ({ models: listed, model }) => {
		const sim = await startServer({ profile: 'router', models: listed });
		expect(await chosen(at(sim.url))).toBe(model);
	});

	it('a router returns the loaded model for the task', async () => {
		const sim = await startServer({ profile: 'router', models });
		expect(await chosen(at(sim.url))).toBe('loaded-one');
		expect(await chosen(at(sim.url), 'embeddings')).toBe('vectors');
	});

	it('several are an error that lists them', async () => {
		const sim = await startServer({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(chosen(at(sim.url))).rejects.toThrow(
			expect.objectContaining({ message: expect.stringContaining('several models') as string }),
		);
	});

	it.each<ModelTask>(['chat', 'embeddings', 'transcription'])(
		'the First Token Timeout ends a list for %s that hangs',
		async (use) => {
			const sim = await startServer({ alias: 'only-one' });
			sim.route('GET /v1/models', async () => await new Promise<never>(() => {}));
			const settings = { model: '', timeouts: { firstTokenMs: 300 } };
			const choosing = withResolvedModel(settings, { server: at(sim.url), modelTask: use });
			const ended = choosing.then(
				({ model }) => model,
				(error: unknown) => error,
			);
			const what = () => `the model for ${use}`;
			// Shorter than the timeout of a list without one of its own.
			const result = await withDeadline(ended, what, 8_000);
			// Images and audio may do without a name.
			if (use === 'transcription') expect(result).toBe('');
			else expect(result).toMatchObject({ type: 'totalTimeout' });
		},
	);

	it.each<ModelTask>(['chat', 'embeddings', 'images'])(
		'Stop ends the request of %s',
		async (use) => {
			const sim = await startServer({ alias: 'only-one' });
			sim.route('GET /v1/models', async () => await new Promise<never>(() => {}));
			const stop = new AbortController();
			const choosing = withResolvedModel(
				{ model: '' },
				{ server: at(sim.url), modelTask: use, signal: stop.signal },
			);
			choosing.catch(() => {});
			await sleepWithAbort(200, undefined);
			stop.abort();
			await expect(choosing).rejects.toThrow();
			await sim.until(() => sim.requests.every(({ signal }) => signal.aborted));
		},
	);
});

describe('the field for a model', () => {
	const toField = (...given: Parameters<typeof modelField>) =>
		toProperties({ model: modelField(...given) })[0];

	it('a model is selected from the list of models, or named, or is the loaded one', () => {
		expect(toField('Mine')).toMatchObject({
			description: 'Mine. Leave empty to use the loaded model, or the only one.',
			modes: [{ name: 'list', typeOptions: { searchListMethod: 'searchModels' } }, { name: 'id' }],
		});
	});

	it('a node may have its own list and example', () => {
		const list = { search: 'searchRerankers', example: 'bge-reranker-v2-m3' };
		expect(toField('Mine', list)).toMatchObject({
			modes: [
				{ typeOptions: { searchListMethod: 'searchRerankers' } },
				{ placeholder: 'e.g. bge-reranker-v2-m3' },
			],
		});
	});
});
