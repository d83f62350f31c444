import type { ILoadOptionsFunctions } from 'n8n-workflow';

import { searchModels } from '../../../nodes/shared/searchModels';
import { startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const KEY = 'secret-key-123';

async function search(baseUrl: string, filter?: string, apiKey = KEY) {
	const context = {
		getCredentials: async () => ({ baseUrl, apiKey, authentication: 'bearer' }),
		getNode: () => ({ id: '1', name: 'N', type: 'n', typeVersion: 1, position: [0, 0], parameters: {} }),
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

	it('come with what the server tells of them', async () => {
		const sim = await startServer({ profile: 'router', apiKey: KEY, models });
		const [loaded, other] = (await search(sim.url)).results;
		expect(loaded!.name).toMatch(/^qwen3-8b \(.*loaded\)$/);
		expect(other!.name).toMatch(/^gemma-3 \(.*not loaded\)$/);
	});

	it('that cannot be had are an error with cause and advice in its one line, without the key', async () => {
		const sim = await startServer({ apiKey: KEY });
		const failed = (await search(sim.url, '', 'wrong-key-987').catch((error: unknown) => error)) as Error;
		expect(failed.message).toMatch(/^The server refuses the API key.*Check the API Key/);
		expect(JSON.stringify([failed, failed.message])).not.toContain('wrong-key-987');
		await expect(search('http://')).rejects.toThrow(/Base URL/);
	});
});
