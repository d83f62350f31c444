import type { INodeTypeDescription } from 'n8n-workflow';

type BuilderHint = NonNullable<INodeTypeDescription['builderHint']>;

const agent = { nodeType: '@n8n/n8n-nodes-langchain.agent', relationHint: 'Uses it as its model' };
const chain = {
	nodeType: '@n8n/n8n-nodes-langchain.chainLlm',
	relationHint: 'Uses it as its model',
};
const store = (relationHint: string) => ({
	nodeType: '@n8n/n8n-nodes-langchain.vectorStoreInMemory',
	relationHint,
});

/** Hints for n8n's assistant and its MCP search: what each node is for, and what must be set. */
export const BUILDER_HINTS = {
	localChatModel: {
		searchHint:
			'The model of an AI Agent or chain on a server of your own (llama-server, Ollama, vLLM, any OpenAI-compatible one). Connect it to the Model input. Only the credential must be set: an empty Model means the one that is loaded. For one answer per item without an agent use Local Llama; to chat with a Dify app use Dify Chat Message.',
		relatedNodes: [agent, chain],
	},
	localEmbeddings: {
		searchHint:
			'The embeddings of a vector store, from a server of your own. Insert and search with the same model. Choose an embedding model, not a chat model.',
		relatedNodes: [store('Stores and searches the vectors')],
	},
	localReranker: {
		searchHint:
			'Orders what a vector store found. Turn on Rerank Results in the vector store, and connect it there.',
		relatedNodes: [store('Has its results reranked')],
	},
	localLlama: {
		searchHint:
			'Uses models of your own server item by item, without an agent. Resource text: chat, extract (typed fields), classify (one label of a list, such as for mails or tickets). Others: vector, image, audio (transcribe, speak), model. For an AI Agent use Local Chat Model.',
	},
	serverHealth: {
		searchHint:
			'Says whether a model server or Dify works, why not, and what to do. First output: healthy; second: unhealthy. Also measures speed, and tests whether a model calls tools right. To be told when it changes use Server Health Trigger.',
	},
	serverHealthTrigger: {
		searchHint:
			'Starts the workflow when a model server or Dify fails or works again. To ask once use Server Health.',
	},
	difyApp: {
		searchHint:
			'Text generators of Dify (resource text), speech, annotations, files. To talk to a chatbot, agent or chatflow use Dify Chat Message; to run a workflow app use Dify Workflow.',
	},
	difyChatMessage: {
		searchHint:
			'Asks a Dify chatbot, agent or chatflow one question and gives its answer; behind a Chat Trigger the answer is typed into the chat. This is the node for asking Dify. Set Query; Conversation keeps the thread.',
		relatedNodes: [
			{
				nodeType: '@n8n/n8n-nodes-langchain.chatTrigger',
				relationHint: 'Gives the question and shows the answer',
			},
		],
	},
	difyConversation: {
		searchHint:
			'Lists, renames and deletes conversations of a Dify app. To ask it something use Dify Chat Message.',
	},
	difyFeedback: {
		searchHint: 'Rates answers of a Dify app by the message ID that Dify Chat Message gives.',
	},
	difyKnowledge: {
		searchHint:
			'Searches knowledge bases of Dify and fills them. To index a folder: Read/Write Files from Disk, then resource document, operation sync. The credential must hold a knowledge key, not that of an app.',
		relatedNodes: [
			{ nodeType: 'n8n-nodes-base.readWriteFile', relationHint: 'Reads the files of a folder' },
		],
	},
	difyRetriever: {
		searchHint:
			'Knowledge bases of Dify for a Question and Answer Chain. For an agent use Dify Knowledge as a tool.',
		relatedNodes: [
			{
				nodeType: '@n8n/n8n-nodes-langchain.chainRetrievalQa',
				relationHint: 'Answers from what it finds',
			},
		],
	},
	difyTrigger: {
		searchHint: 'Ratings in Dify: starts the workflow when an answer was rated.',
	},
	difyWorkflow: {
		searchHint:
			'Runs a workflow app of Dify to its end and gives its outputs; answers its forms. For a chatflow use Dify Chat Message.',
	},
} as const satisfies Record<string, BuilderHint>;
