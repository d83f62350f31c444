import type { ILoadOptionsFunctions } from 'n8n-workflow';

import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';

const start = useSimulator(startLlamaServerSim);

it('is a sub-node for the embeddings of vector stores, not a tool', () => {
	const { inputs, outputs, usableAsTool } = new LocalEmbeddings().description;
	expect([inputs, outputs, usableAsTool]).toEqual([[], ['ai_embedding'], undefined]);
});

it('the model list omits models for other tasks', async () => {
	const server = await start({
		profile: 'ollama',
		models: [{ id: 'qwen3:8b' }, { id: 'bge-m3:latest' }],
	});
	const tag = (name: string, ...capabilities: string[]) => ({ name, model: name, capabilities });
	server.route(
		'GET /api/tags',
		reply.json({ models: [tag('qwen3:8b', 'completion'), tag('bge-m3:latest', 'embedding')] }),
	);
	const context = {
		getCredentials: async () => ({ baseUrl: server.url }),
		helpers: {},
		getNode: () => ({}),
	};
	const { searchEmbeddingModels } = new LocalEmbeddings().methods.listSearch;
	const { results } = await searchEmbeddingModels.call(context as unknown as ILoadOptionsFunctions);
	expect(results.map(({ value }) => value)).toEqual(['bge-m3:latest']);
});
