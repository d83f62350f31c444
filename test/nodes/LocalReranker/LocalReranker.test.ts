import type { ILoadOptionsFunctions } from 'n8n-workflow';

import { LocalReranker } from '../../../nodes/LocalReranker/LocalReranker.node';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { getError } from '../LocalEmbeddings/supplied';

const start = useSimulator(startLlamaServerSim);

it('is a sub-node for the reranker of vector stores, not a tool', () => {
	const { inputs, outputs, usableAsTool } = new LocalReranker().description;
	expect([inputs, outputs, usableAsTool]).toEqual([[], ['ai_reranker'], undefined]);
});

it('the model list for Ollama explains that it does not support reranking', async () => {
	const server = await start({ profile: 'ollama' });
	const context = {
		getCredentials: async () => ({ baseUrl: server.url }),
		helpers: {},
		getNode: () => ({ name: 'R', type: 'localReranker' }),
	};
	const { searchRerankers } = new LocalReranker().methods.listSearch;
	const error = await getError(searchRerankers.call(context as unknown as ILoadOptionsFunctions));
	expect(error.message).toContain('Ollama does not support reranking');
});
