/** Local Reranker, as a person sees it in the editor. */
import { describeSubNode, ROOT } from '../support/describe-sub-node';
import { documentLoader, insertIntoStore, vectorStore } from '../support/workflows';

const STORE = 'screens-of-reranker';

describeSubNode('localReranker', {
	credentialType: 'localLlamaApi',
	connector: 'Reranker',
	nodes: async (credentialFor) => ({
		Insert: { ...insertIntoStore(STORE), to: [ROOT] },
		Loader: documentLoader('Insert'),
		[ROOT]: vectorStore(STORE, { mode: 'load', prompt: 'wool', useReranker: true }),
		Embeddings: {
			type: 'CUSTOM.localEmbeddings',
			credentials: { localLlamaApi: await credentialFor('localLlamaApi') },
			serves: [
				['ai_embedding', 'Insert'],
				['ai_embedding', ROOT],
			],
		},
	}),
	result: 'The llama keeps its wool.',
});
