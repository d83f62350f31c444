/** The nodes as n8n uses them: classes, credentials and parameters, with a fake context. */
import type {
	ICredentialDataDecryptedObject,
	ILoadOptionsFunctions,
	INodeExecutionData,
	INodeListSearchResult,
	INodeType,
	NodeOperationError,
} from 'n8n-workflow';

import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import { LocalLlama } from '../../../nodes/LocalLlama/LocalLlama.node';
import { LocalReranker } from '../../../nodes/LocalReranker/LocalReranker.node';
import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { fakeContext } from '../../support/n8n/context';
import type { FakeContext } from '../../support/n8n/context';
import { executeContext } from '../../support/n8n/execute-context';
import type { ExecuteFake, ExecuteSetup } from '../../support/n8n/execute-context';
import { deepFreeze } from '../../support/n8n/deep-freeze';
import { getError } from '../../support/jest/get-error';

/** The key of every credential, unless a test has another one. */
export const SESAME = 'open-sesame-4711';

export const model = (value: string) => ({ __rl: true, mode: 'id', value });

/** A chunk or a whole message of LangChain, as far as tests look at it. */
export interface Message {
	content: unknown;
	tool_calls?: Array<{ id: string; name: string; args: Record<string, unknown> }>;
	usage_metadata?: Record<string, unknown>;
	response_metadata: Record<string, unknown>;
	additional_kwargs: Record<string, unknown>;
	concat(other: Message): Message;
}

/** LangChain's chat model, as far as tests use it. */
export interface ChatModel {
	invoke(input: unknown, options?: { signal?: AbortSignal }): Promise<Message>;
	stream(input: unknown, options?: { signal?: AbortSignal }): Promise<AsyncIterable<Message>>;
	bindTools(tools: unknown[], options?: object): ChatModel;
}

export interface Supplied<T> extends FakeContext {
	supplied: T;
	/** Ends what the node keeps for it, as n8n does at the end of the execution. */
	close: () => Promise<void>;
}

export interface SupplySetup {
	parameters?: Record<string, unknown>;
	credentials?: ICredentialDataDecryptedObject;
	/** Put over the context. */
	context?: object;
	/** Of the root node. Default: the first. */
	itemIndex?: number;
}

async function supply<T>(node: INodeType, url: string, setup: SupplySetup): Promise<Supplied<T>> {
	const fake = fakeContext(
		{ model: model('sim-model'), ...setup.parameters },
		{ baseUrl: url, apiKey: SESAME, authentication: 'bearer', ...setup.credentials },
	);
	Object.assign(fake.context, setup.context);
	const { response, closeFunction } = await node.supplyData!.call(
		fake.context,
		setup.itemIndex ?? 0,
	);
	return { ...fake, supplied: response as T, close: async () => await closeFunction?.() };
}

export const chatModel = async (url: string, setup: SupplySetup = {}) =>
	await supply<ChatModel>(new LocalChatModel(), url, setup);

export interface Embeddings {
	embedDocuments(texts: string[]): Promise<number[][]>;
	embedQuery(text: string): Promise<number[]>;
}

export const embeddings = async (url: string, setup: SupplySetup = {}) =>
	await supply<Embeddings>(new LocalEmbeddings(), url, setup);

export interface Reranker {
	compressDocuments(documents: unknown[], query: string): Promise<unknown[]>;
}

/** A store keeps the documents that it gives. */
export async function reranker(url: string, setup: SupplySetup = {}): Promise<Supplied<Reranker>> {
	const given = await supply<Reranker>(new LocalReranker(), url, setup);
	const { supplied } = given;
	const compressDocuments: Reranker['compressDocuments'] = async (documents, query) =>
		await supplied.compressDocuments(deepFreeze(documents), query);
	return { ...given, supplied: { compressDocuments } };
}

type ActionSetup = Partial<ExecuteSetup> & { context?: object };

/** The context of Local Llama: the first texts of `operation` are its resource and its operation. */
export function actionContext(
	url: string,
	operation: `${string}:${string}`,
	{ parameters, context, ...setup }: ActionSetup = {},
): ExecuteFake {
	const [resource, name] = operation.split(':');
	const fake = executeContext({
		type: 'n8n-nodes-local-llama.localLlama',
		credentials: { baseUrl: url, apiKey: SESAME, authentication: 'bearer' },
		parameters: { resource, operation: name, model: model('sim-model'), ...parameters },
		...setup,
	});
	Object.assign(fake.context, context);
	return fake;
}

export async function localLlama(fake: ExecuteFake): Promise<INodeExecutionData[]> {
	const [items] = await new LocalLlama().execute.call(fake.context);
	return items!;
}

/** Runs one operation of Local Llama. */
export const run = async (...given: Parameters<typeof actionContext>) =>
	await localLlama(actionContext(...given));

/** Runs Server Health. @returns the items of both outputs */
export async function serverHealth(
	url: string,
	parameters: Record<string, unknown> = {},
	setup: ActionSetup = {},
): Promise<INodeExecutionData[][]> {
	const { context } = executeContext({
		type: 'n8n-nodes-local-llama.serverHealth',
		credentials: { baseUrl: url, apiKey: SESAME, authentication: 'bearer' },
		parameters: { service: 'modelServer', operation: 'check', ...parameters },
		...setup,
	});
	return await new ServerHealth().execute.call(context);
}

/** The list of models as the editor asks for it. */
export async function modelList(
	url: string,
	credentials: ICredentialDataDecryptedObject = {},
): Promise<INodeListSearchResult> {
	const { context } = fakeContext({}, { baseUrl: url, apiKey: SESAME, ...credentials });
	const { searchModels } = new LocalChatModel().methods.listSearch;
	return await searchModels.call(context as unknown as ILoadOptionsFunctions);
}

/** The error of something that has to fail. */
export async function failureOf(work: Promise<unknown>): Promise<NodeOperationError> {
	return await getError<NodeOperationError>(work, Error);
}

export async function streamOf(chat: ChatModel, input: unknown): Promise<Message[]> {
	const chunks: Message[] = [];
	for await (const chunk of await chat.stream(input)) chunks.push(chunk);
	return chunks;
}

export const textOf = (chunks: readonly Message[]): string =>
	chunks.map(({ content }) => content).join('');

/** The whole message, as n8n's agent makes it of the chunks. */
export const wholeOf = (chunks: readonly Message[]): Message =>
	chunks.reduce((whole, chunk) => whole.concat(chunk));
