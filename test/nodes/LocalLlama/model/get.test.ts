import { recordedExchanges } from '../../../servers/model-recordings/exchange';
import { reply } from '../../../servers/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, execute, json, failure } = useLocalLlama();
const GET_ALL = { resource: 'model', operation: 'getAll' };
const get = (model: string) => ({ resource: 'model', operation: 'get', model });
const recorded = (name: string) => {
	const { answer } = recordedExchanges('ollama-v0.17.4/models').find((one) => one.name === name)!;
	return reply.error(answer.status, JSON.parse(answer.text!));
};

describe('Get Many', () => {
	it('gives an item for each model, paired with the input', async () => {
		await serve({ profile: 'router', models: [{ id: 'big', status: 'loaded' }, { id: 'small' }] });
		const items = await execute({ items: [{ json: {} }, { json: {} }], parameters: GET_ALL });
		expect(items.map((item) => [item.json.id, item.json.loaded, item.pairedItem])).toEqual([
			['big', true, { item: 0 }],
			['small', false, { item: 0 }],
			['big', true, { item: 1 }],
			['small', false, { item: 1 }],
		]);
		const loaded = await execute({ parameters: { ...GET_ALL, options: { onlyLoaded: true } } });
		expect(loaded.map((item) => item.json.id)).toEqual(['big']);
	});

	it('gives none for an Ollama without models, whose list is null', async () => {
		const sim = await serve({ profile: 'ollama', models: [] });
		sim.route('GET /v1/models', recorded('v1-models-empty'));
		sim.route('GET /api/tags', recorded('tags-empty'));
		expect(await execute({ parameters: GET_ALL })).toEqual([]);
	});

	it('fails where there is no list, with the advice', async () => {
		await serve({ apiKey: 'another' });
		expect(await failure(GET_ALL)).toMatchObject({
			message: expect.stringContaining('The server refuses the API key') as string,
			description: expect.stringContaining('--api-key') as string,
		});
	});

	it('fails where the list is none', async () => {
		const sim = await serve();
		sim.route('GET /v1/models', reply.json({ hello: 'world' }));
		expect((await failure(GET_ALL)).message).not.toBe('');
	});

	it('names a time limit that makes no sense', async () => {
		await serve();
		expect((await failure({ ...GET_ALL, options: { timeLimit: 'soon' } })).message).toBe(
			'The field "Time Limit of a Request (Seconds)" must be a number from 0.1, but is "soon"',
		);
	});
});

describe('Get', () => {
	it('of Ollama 0.17.4 has abilities, template and what the file says, without its lists', async () => {
		const sim = await serve({ profile: 'ollama', models: [{ id: 'minilm:latest' }] });
		sim.route('POST /api/show', recorded('show-minilm'));
		sim.route('GET /api/ps', recorded('ps-minilm'));
		const details = await json(get('minilm'));
		expect(details).toMatchObject({
			id: 'minilm',
			server: 'ollama',
			state: 'loaded',
			trainedContext: 512,
			embeddings: true,
			capabilities: ['embedding'],
			modelInfo: { 'bert.embedding_length': 384 },
			running: { size_vram: 0 },
		});
		expect(details.modelInfo).not.toHaveProperty('tokenizer.ggml.tokens');
		expect(details).not.toHaveProperty('tensors');
	});

	it('of a model that Ollama does not have says how to fetch it', async () => {
		const sim = await serve({ profile: 'ollama' });
		sim.route('POST /api/show', recorded('show-unknown'));
		expect(await failure(get('nope'))).toMatchObject({
			message: 'The server does not offer the model "nope"',
			description: expect.stringContaining('ollama pull nope') as string,
		});
	});

	it('of llama-server has the context and the template', async () => {
		await serve({ nCtx: 4096 });
		expect(await json(get('sim-model'))).toMatchObject({
			id: 'sim-model',
			server: 'llamaServer',
			context: 4096,
			template: expect.stringContaining('im_start') as string,
		});
	});

	it('of a router loads nothing', async () => {
		const sim = await serve({
			profile: 'router',
			models: [{ id: 'big', status: 'loaded' }, { id: 'small' }],
		});
		expect(await json(get('small'))).toMatchObject({ id: 'small', state: 'unloaded' });
		expect(await json(get('big'))).toMatchObject({
			id: 'big',
			template: expect.any(String) as string,
		});
		expect(sim.models[1]!.status).not.toBe('loaded');
		expect((await failure(get('nope'))).description).toContain('Use one of: big, small');
	});

	it('of llama-swap shows the process, and asks nothing that would load the model', async () => {
		const sim = await serve({ profile: 'llama-swap', models: [{ id: 'tiny' }] });
		sim.route('GET /running', reply.json({ running: [{ model: 'tiny', state: 'ready', ttl: 3 }] }));
		expect(await json(get('tiny'))).toMatchObject({
			server: 'llamaSwap',
			process: { state: 'ready', ttl: 3 },
		});
		expect(sim.requests.filter(({ path }) => /props|upstream/.test(path))).toEqual([]);
	});
});
