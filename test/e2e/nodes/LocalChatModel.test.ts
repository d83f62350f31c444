/** Local Chat Model, as a person sees it in the editor. */
import { describeSubNode, ROOT } from '../support/describe-sub-node';

describeSubNode('localChatModel', {
	credentialType: 'localLlamaApi',
	connector: 'Model',
	nodes: async () =>
		await Promise.resolve({
			[ROOT]: {
				type: '@n8n/n8n-nodes-langchain.chainLlm',
				typeVersion: 1.7,
				parameters: { promptType: 'define', text: 'What is a llama?' },
			},
		}),
	result: 'The llama is a domesticated animal',
});
