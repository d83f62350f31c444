/** Workflows and credentials for the search for leaked secrets: canaries in each field that may contain a secret. */
import { canary } from '../../support/canaries';
import type { FilledNode } from '../../support/every-operation';
import { chatTrigger, workflowOf } from '../../e2e/support/workflows';

const LANGCHAIN = '@n8n/n8n-nodes-langchain.';

/** One canary per field, with characters that URLs, JSON and HTML escape. */
export const secrets = {
	key: `${canary(24, '+/')}==`,
	headerValue: canary(24, '&"<%'),
	headerName: canary(16).toLowerCase(),
	cookie: canary(20),
	furtherKey: canary(24),
	passwordOfBasic: canary(20, "'\\"),
	passwordInAddress: canary(20),
	keyInQuery: canary(20),
	passwordInFurtherAddress: canary(20),
	difyKey: canary(24),
	knowledgeKey: canary(24),
	passwordInDifyAddress: canary(20),
};

export interface Named {
	id: string;
	name: string;
}
export type Credentials = Record<'localLlamaApi' | 'difyApi' | 'knowledge', Named>;
export type Parts = Parameters<typeof workflowOf>[1];
type OnError = 'continueRegularOutput' | 'continueErrorOutput';

const header = (name: string, value: string) => ({ name, value });

/** Credential data for two servers; two per model server, since a header contains only one key. */
export const credentialData = (first: string, second: string) => ({
	local: {
		baseUrl: first,
		apiKey: `sk-${secrets.key}`,
		authentication: 'bearer',
		extraHeaders: {
			header: [
				header('X-Proxy-Token', secrets.headerValue),
				header(`X-Tenant-${secrets.headerName}`, 'yes'),
				header('Cookie', `session=${secrets.cookie}; theme=dark`),
			],
		},
		furtherServers: { server: [{ baseUrl: second, apiKey: secrets.furtherKey }] },
	},
	basic: {
		baseUrl: first,
		apiKey: secrets.key,
		authentication: 'xApiKey',
		extraHeaders: {
			header: [
				header(
					'Authorization',
					`Basic ${Buffer.from(`anna:${secrets.passwordOfBasic}`).toString('base64')}`,
				),
				header('X-Proxy-Token', secrets.headerValue),
			],
		},
	},
	dify: { baseUrl: `${first}/v1`, apiKey: `app-${secrets.difyKey}`, keyType: 'app' },
	knowledge: {
		baseUrl: `${first}/v1`,
		apiKey: `dataset-${secrets.knowledgeKey}`,
		keyType: 'knowledge',
	},
});

/** URLs that contain a secret, which the package rejects. */
export const ADDRESSES = {
	password: `http://anna:${secrets.passwordInAddress}@127.0.0.1:9/v1`,
	oddPassword: `http://anna:${secrets.passwordInAddress}/#@127.0.0.1:9`,
	query: `http://127.0.0.1:9/v1?key=${secrets.keyInQuery}`,
};

/** Credential data with such an address in each address field. */
export function badAddress(baseUrl: string) {
	const dify = {
		baseUrl: baseUrl.replace(/anna:\w+/, `anna:${secrets.passwordInDifyAddress}`),
		apiKey: 'app-none',
	};
	return {
		local: { baseUrl, apiKey: '', furtherServers: {} },
		further: {
			baseUrl: 'http://127.0.0.1:9',
			furtherServers: {
				server: [{ baseUrl: `http://anna:${secrets.passwordInFurtherAddress}@127.0.0.1:9` }],
			},
		},
		dify: { ...dify, keyType: 'app' },
		knowledge: { ...dify, keyType: 'knowledge' },
	};
}

export function partOf(
	{ name, type, typeVersion, parameters, credentials: wanted }: FilledNode,
	given: Credentials,
) {
	const dify = /knowledge|retriever/i.test(name) ? given.knowledge : given.difyApi;
	const credentials = Object.fromEntries(
		wanted.map((one) => [one, one === 'difyApi' ? dify : given.localLlamaApi] as const),
	);
	return { type, typeVersion, parameters, credentials };
}

/** A Manual Trigger whose item has a file of one line. */
export const startWithFile = (text: string): Parts => ({
	Start: { type: 'n8n-nodes-base.manualTrigger', to: ['Text'] },
	Text: {
		type: 'n8n-nodes-base.set',
		typeVersion: 3.4,
		parameters: { mode: 'raw', jsonOutput: JSON.stringify({ text }), options: {} },
		to: ['File'],
	},
	File: {
		type: 'n8n-nodes-base.convertToFile',
		typeVersion: 1.1,
		parameters: { operation: 'toText', sourceProperty: 'text', options: { fileName: 'hello.txt' } },
	},
});

/** Operations in a chain after one file, each with the given error handling. */
export function actionsBehindFile(
	actions: readonly FilledNode[],
	given: Credentials,
	onError: OnError,
): Parts {
	const start = startWithFile('hello');
	return {
		...start,
		File: { ...start.File!, to: actions.map(({ name }) => name) },
		...Object.fromEntries(
			actions.map((action) => [action.name, { ...partOf(action, given), onError }]),
		),
	};
}

const store = (mode: 'insert' | 'load', more: Record<string, unknown>) => ({
	type: `${LANGCHAIN}vectorStoreInMemory`,
	typeVersion: 1.3,
	parameters: { mode, memoryKey: { __rl: true, mode: 'id', value: 'secrets' }, ...more },
});

/** Inserts a text into n8n's vector store. */
export const filledStore = (embeddings: FilledNode, given: Credentials): Parts => ({
	Start: { type: 'n8n-nodes-base.manualTrigger', to: ['Insert'] },
	Insert: store('insert', { clearStore: true }),
	Loader: {
		type: `${LANGCHAIN}documentDefaultDataLoader`,
		typeVersion: 1.1,
		parameters: { jsonMode: 'expressionData', jsonData: 'a kitten and a cat', options: {} },
		serves: [['ai_document', 'Insert']],
	},
	Embeddings: { ...partOf(embeddings, given), serves: [['ai_embedding', 'Insert']] },
});

/**
 * All sub-nodes, below nodes of n8n that continue on error.
 *
 * @param well credentials of a working embeddings server: otherwise nothing would be ranked
 */
export function everySubNode(
	subNodes: Record<string, FilledNode>,
	given: Credentials,
	well: Credentials,
): Parts {
	const sub = (name: string, kind: string, ...nodes: string[]) => ({
		...partOf(subNodes[name]!, given),
		serves: nodes.map((node) => [kind, node] as [string, string]),
	});
	const onError = 'continueRegularOutput';
	const promptFields = { promptType: 'define', text: 'Hello', options: {} };
	const roots: Parts = {
		Agent: { type: `${LANGCHAIN}agent`, typeVersion: 3, parameters: promptFields, onError },
		Chain: { type: `${LANGCHAIN}chainLlm`, typeVersion: 1.7, parameters: promptFields, onError },
		Store: { ...store('load', { prompt: 'hello' }), onError },
		Ranked: { ...store('load', { prompt: 'hello', useReranker: true }), onError },
		Answers: {
			type: `${LANGCHAIN}chainRetrievalQa`,
			typeVersion: 1.6,
			parameters: promptFields,
			onError,
		},
	};
	return {
		Start: { type: 'n8n-nodes-base.manualTrigger', to: Object.keys(roots) },
		...roots,
		'Local Chat Model': sub('localChatModel', 'ai_languageModel', 'Agent', 'Answers'),
		'Local Embeddings': sub('localEmbeddings', 'ai_embedding', 'Store'),
		Embeddings: {
			...partOf(subNodes.localEmbeddings!, well),
			serves: [['ai_embedding', 'Ranked']],
		},
		'Local Reranker': sub('localReranker', 'ai_reranker', 'Ranked'),
		'Dify Retriever': sub('difyRetriever', 'ai_retriever', 'Answers'),
	};
}

/** Streamed chats, one for each node that can stream. */
export const chats = (
	webhook: string,
	model: Parts[string],
	dify: Parts[string],
): Record<string, Parts> => ({
	agent: {
		Chat: chatTrigger(`${webhook}-agent`),
		Agent: { type: `${LANGCHAIN}agent`, typeVersion: 3, parameters: { options: {} } },
		Model: { ...model!, serves: [['ai_languageModel', 'Agent']] },
	},
	dify: { Chat: chatTrigger(`${webhook}-dify`, 'Dify'), Dify: dify! },
});
