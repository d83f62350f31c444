/** Local Embeddings, as a person sees it in the editor. */
import { describeSubNode, ROOT } from '../support/describe-sub-node';
import { documentLoader, insertIntoStore } from '../support/workflows';

describeSubNode('localEmbeddings', {
	credentialType: 'localLlamaApi',
	connector: 'Embedding',
	nodes: async () =>
		await Promise.resolve({
			[ROOT]: insertIntoStore('screens-of-embeddings'),
			Loader: documentLoader(ROOT),
		}),
	result: 'The llama keeps its wool.',
});
