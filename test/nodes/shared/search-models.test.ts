import type { ILoadOptionsFunctions } from 'n8n-workflow';

import type { Connection } from '../../../lib/http/connection';
import { pauseFor } from '../../../lib/http/waiting';
import { connectTo } from '../../../lib/servers/connect';
import { askServerKind } from '../../../lib/servers/identify';
import { type ModelUse, searchModels, withModel } from '../../../nodes/shared/search-models';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const KEY = 'secret-key-123';

async function search(baseUrl: string, filter?: string, apiKey = KEY) {
	const context = {
		getCredentials: async () => ({
			baseUrl,
			apiKey,
			authentication: 'bearer',
		}),
		getNode: () => ({
			id: '1',
			name: 'N',
			type: 'n',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		}),
		helpers: {},
	};
	return await searchModels.call(context as unknown as ILoadOptionsFunctions, filter);
}

describe('the models to choose from', () => {
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
	])('are those whose name or alias has %j in it', async (filter, ids) => {
		const sim = await startServer({ profile: 'router', apiKey: KEY, models });
		expect((await search(sim.url, filter)).results.map(({ value }) => value)).toEqual(ids);
	});

	it('are not those for vectors, unless there are no others', async () => {
		const vectors = { id: 'vectors', status: 'loaded' as const, embeddings: true };
		const found = async (all: Array<typeof vectors | (typeof models)[number]>) => {
			const sim = await startServer({ profile: 'router', apiKey: KEY, models: all });
			return (await search(sim.url)).results.map(({ value }) => value);
		};
		expect(await found([vectors, ...models])).toEqual(['qwen3-8b', 'gemma-3']);
		expect(await found([vectors])).toEqual(['vectors']);
	});

	it('come with what the server tells of them', async () => {
		const sim = await startServer({ profile: 'router', apiKey: KEY, models });
		const [loaded, other] = (await search(sim.url)).results;
		expect(loaded!.name).toMatch(/^qwen3-8b \(.*loaded\)$/);
		expect(other!.name).toMatch(/^gemma-3 \(.*not loaded\)$/);
	});

	it('that cannot be had are an error with cause and advice in its one line, without the key', async () => {
		const sim = await startServer({ apiKey: KEY });
		const failed = (await search(sim.url, '', 'wrong-key-987').catch(
			(error: unknown) => error,
		)) as Error;
		expect(failed.message).toMatch(/^The server refuses the API key.*Check the API Key/);
		expect(JSON.stringify([failed, failed.message])).not.toContain('wrong-key-987');
		await expect(search('http://')).rejects.toThrow(/Base URL/);
	});
});

describe('where no model is chosen', () => {
	const models = [
		{ id: 'chatty', status: 'unloaded' as const },
		{ id: 'loaded-one', status: 'loaded' as const },
		{ id: 'vectors', status: 'loaded' as const, embeddings: true },
	];
	const chosen = async (connection: Connection, use: ModelUse = 'chat') =>
		(await withModel({ model: '' }, connection, use, undefined)).model;
	const connectionOf = (url: string) => connectTo({ baseUrl: url });

	it('one that is typed is taken unseen', async () => {
		expect(
			await withModel(
				{ model: 'x', more: 1 },
				connectionOf('http://127.0.0.1:1'),
				'chat',
				undefined,
			),
		).toEqual({
			model: 'x',
			more: 1,
		});
	});

	it('the server is asked once for all items, and again after a failure', async () => {
		const sim = await startServer({ alias: 'only-one' });
		const connection = connectionOf(sim.url);
		sim.route('GET /v1/models', reply.error(500, { error: 'boom' }));
		await expect(chosen(connection)).rejects.toThrow();
		sim.route('GET /v1/models', undefined);
		expect(await Promise.all([chosen(connection), chosen(connection), chosen(connection)])).toEqual(
			['only-one', 'only-one', 'only-one'],
		);
		expect(sim.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(2);
	});

	it('a server that answers during a generation is asked without waiting for its end', async () => {
		const sim = await startServer({ alias: 'only-one' });
		const connection = connectTo({ baseUrl: sim.url, maxConcurrentRequests: 1 });
		await askServerKind(connection, '', {});
		const leave = await connection.enter({});
		expect(await chosen(connection)).toBe('only-one');
		leave();
	});

	it('a router gives the loaded model of the use', async () => {
		const sim = await startServer({ profile: 'router', models });
		expect(await chosen(connectionOf(sim.url))).toBe('loaded-one');
		expect(await chosen(connectionOf(sim.url), 'embeddings')).toBe('vectors');
	});

	it('several are an error that lists them', async () => {
		const sim = await startServer({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(chosen(connectionOf(sim.url))).rejects.toThrow(
			expect.objectContaining({ message: expect.stringContaining('several models') as string }),
		);
	});

	describe('and the server is silent', () => {
		const uses: ModelUse[] = ['chat', 'embeddings', 'reranking', 'images', 'speech'];
		const startSilent = async () => {
			const sim = await startServer({ alias: 'only-one' });
			sim.route('GET /v1/models', async () => await new Promise<never>(() => {}));
			return sim;
		};

		it.each(uses)('Stop ends the question of %s', async (use) => {
			const { url } = await startSilent();
			const stop = new AbortController();
			const choosing = withModel({ model: '' }, connectionOf(url), use, stop.signal);
			choosing.catch(() => {});
			await pauseFor(200);
			// Without it, the question would never end.
			stop.abort();
			await expect(choosing).rejects.toMatchObject({ kind: 'aborted' });
		});

		it('the First Token Limit ends it, too, and the connection is closed', async () => {
			const sim = await startSilent();
			const settings = { model: '', limits: { firstTokenMs: 300 } };
			await expect(
				withModel(settings, connectionOf(sim.url), 'chat', undefined),
			).rejects.toMatchObject({
				kind: 'firstTokenLimit',
			});
			await sim.until(() => sim.requests.every(({ signal }) => signal.aborted));
			expect(sim.requests).toHaveLength(1);
		});
	});
});
