import { recordedExchanges } from '../../../simulators/model-recordings/exchange';
import { reply } from '../../../simulators/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, execute, getError } = useLocalLlama();
const GET_ALL = { resource: 'model', operation: 'getAll' };
const toRoute = (name: string) => {
	const { answer: exchange } = recordedExchanges('ollama-v0.17.4/models').find(
		(entry) => entry.name === name,
	)!;
	return reply.error(exchange.status, JSON.parse(exchange.text!));
};

describe('Get Many', () => {
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

	it('returns no items for an Ollama without models, whose list is null', async () => {
		const sim = await serve({ profile: 'ollama', models: [] });
		sim.route('GET /v1/models', toRoute('v1-models-empty'));
		sim.route('GET /api/tags', toRoute('tags-empty'));
		expect(await execute({ parameters: GET_ALL })).toEqual([]);
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
			message: expect.stringContaining('The server rejected the API key') as string,
			description: expect.stringContaining('--api-key') as string,
		});
	});

	it('fails if the list is invalid', async () => {
		const sim = await serve();
		sim.route('GET /v1/models', reply.json({ hello: 'world' }));
		expect((await getError(GET_ALL)).message).not.toBe('');
	});
});
