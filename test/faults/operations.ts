/** Every operation of every node, filled in as in the editor, and the uses of sub-nodes and triggers. */
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	INodeExecutionData,
	INodeParameters,
	INodeProperties,
	INodeType,
	NodeExecutionHint,
} from 'n8n-workflow';

import {
	chatModel,
	embeddings,
	reranker,
	streamOf,
	textOf,
} from '../guarantees/support/node-runner';
import { WEATHER } from '../guarantees/support/agent-turns';
import { supplyRetriever } from '../recordings/support/dify-node-runner';
import { everyOperation, getLabels, withLowLimits } from '../support/n8n/every-operation';
import type { FilledNode } from '../support/n8n/every-operation';
import { executeContext } from '../support/n8n/execute-context';
import * as fs from 'node:fs';
import path from 'node:path';
import { polling } from '../support/n8n/poll-context';

/** One execution of an operation. A sub-node is supplied and used, and a trigger polls, once for each item. */
export interface OperationRun {
	/** The credential of each item, so there are as many items. */
	credentials: readonly ICredentialDataDecryptedObject[];
	/** Default: false. */
	continueOnFail?: boolean;
	/** Aborts at Stop. */
	signal?: AbortSignal;
	/** Over the low limits, as far as the operation has these options. */
	options?: INodeParameters;
	/** Over the parameters of each item. */
	parameters?: INodeParameters;
	/** The item with an expression that fails. */
	brokenItem?: number;
	/** The file of each item. Default: a text, or what the operation reads. */
	file?: UploadedFile;
	/** Further fields of each item. */
	fields?: IDataObject;
	/** Items of an earlier node, one for each credential. Default: items with the file and the fields. */
	items?: readonly INodeExecutionData[];
	/** Whether the node has an error output. Default: no. */
	hasErrorOutput?: boolean;
	/** Whether an agent uses the node as a tool. Default: no. */
	isTool?: boolean;
	/** Called for each field that an action evaluates. */
	onRead?: (name: string, itemIndex: number) => void;
}

/** A file as n8n has it in an item. */
export interface UploadedFile {
	/** Its binary field. Default: data. */
	field?: string;
	bytes: Buffer;
	fileName: string;
	/** Without its dot; n8n has it for files whose name has none. */
	fileExtension?: string;
	mimeType: string;
}

/** What n8n gets from an operation. */
export interface OperationResult {
	/** Items of each output. */
	items?: INodeExecutionData[][];
	/** What a sub-node or a trigger returned, for each item. */
	returned?: unknown[];
	/** Hints at the node. */
	hints?: NodeExecutionHint[];
	/** Everything else that n8n stores or shows. */
	[other: string]: unknown;
}

export interface Operation {
	/** Node, resource and operation. */
	name: string;
	node: string;
	service: 'model' | 'dify';
	/** Only an action has items. A sub-node is used by an agent or a store, and a trigger polls. */
	type: 'action' | 'subNode' | 'trigger';
	/** Labels of the fields and options that a user can set. */
	labels: readonly string[];
	/** The fields of its panel. */
	fields: readonly INodeProperties[];
	/** Their values. */
	parameters: Readonly<Record<string, unknown>>;
	/** Rejects with the error of the node. */
	run(setup: OperationRun): Promise<OperationResult>;
}

const ID = '3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';
const OPTIONS = { firstTokenTimeout: 30, idleTimeout: 30, totalTimeout: 60, maxRetries: 0 };

/** The model and the knowledge base that items share. */
export const MODEL = 'a-model';
const DATASET_ID = 'd0c5e7a1-7a40-4b0c-9d1e-5b2f8a6c7d90';

/** The ID or text in each required field of an item, and in its file. */
export const getItemId = (itemIndex: number): string => `${ID.slice(0, -1)}${itemIndex}`;

/** The item ID in a request. */
export const findItemId = (text: string): string | undefined =>
	new RegExp(`${ID.slice(0, -1)}\\d`).exec(text)?.[0];

/** A kind of file, by the beginning of its content. */
interface FileKind {
	head: Buffer;
	ending: string;
	mimeType: string;
}

const TEXT: FileKind = { head: Buffer.from('hello '), ending: 'txt', mimeType: 'text/plain' };

/** The files of operations that do not read texts. */
const FILE_KINDS: Readonly<Record<string, FileKind>> = {
	transcribe: {
		head: Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0', 'latin1'),
		ending: 'wav',
		mimeType: 'audio/wav',
	},
	edit: { head: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ending: 'png', mimeType: 'image/png' },
};

/** The file that an operation reads. */
export const getFileKind = (operation: unknown): FileKind => FILE_KINDS[String(operation)] ?? TEXT;

/** The item of an operation, by default with a file of the kind that it reads. */
function createItem(
	itemIndex: number,
	{ file, fields, operation }: Pick<OperationRun, 'file' | 'fields'> & { operation: unknown },
): INodeExecutionData {
	const kind = getFileKind(operation);
	const id = getItemId(itemIndex);
	const {
		bytes = Buffer.concat([kind.head, Buffer.from(id)]),
		mimeType = kind.mimeType,
		fileName = `${id}.${kind.ending}`,
		field = 'data',
		...rest
	} = file ?? {};
	return {
		json: { ...fields },
		binary: { [field]: { ...rest, data: bytes.toString('base64'), mimeType, fileName } },
	};
}

const { n8n: manifest } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
	n8n: { nodes: string[] };
};

/** The names of all nodes of the package. */
export const NODES = manifest.nodes.map((file) => path.basename(file, '.node.js'));

async function createNode(name: string): Promise<INodeType> {
	const module = (await import(`../../nodes/${name}/${name}.node`)) as Record<
		string,
		new () => INodeType
	>;
	return new module[name]!();
}

/** Parameters that decide which fields there are: an expression in them would be another failure. */
const SELECTIONS = /^(?:service|resource|operation)$/;

/** What items have in common, since operations process items with the same model or knowledge base together. */
function getShared({ resource, model, difyDatasetId }: FilledNode['parameters']): object {
	return {
		...(model !== undefined && resource !== 'model' && { model: toLocator(MODEL) }),
		...(difyDatasetId !== undefined &&
			resource !== 'knowledgeBase' && { difyDatasetId: toLocator(DATASET_ID) }),
	};
}

const toLocator = (value: string) => ({ __rl: true, mode: 'id', value });

/** The parameters of one item: its own ID, and its options. */
function getItemParameters(
	{ parameters, options: offered }: FilledNode,
	{ options = {}, parameters: further, brokenItem }: OperationRun,
	itemIndex: number,
): Record<string, unknown> {
	const text = JSON.stringify(parameters).replaceAll(ID, getItemId(itemIndex));
	const own: Record<string, unknown> = {
		...(JSON.parse(text) as object),
		...getShared(parameters),
		...further,
	};
	const added = Object.entries(options).filter(([name]) => offered.includes(name));
	if (added.length > 0) own.options = { ...asOptions(own.options), ...Object.fromEntries(added) };
	if (itemIndex !== brokenItem) return own;
	const failing = Object.keys(own)
		.filter((name) => !SELECTIONS.test(name))
		.map((name) => [name, new Error('The expression failed')]);
	return { ...own, ...Object.fromEntries(failing) };
}

async function actionsOf(name: string): Promise<Operation[]> {
	const node = await createNode(name);
	if (node.execute === undefined) return [];
	return everyOperation(node.description)
		.map(withLowLimits)
		.map((filled) => ({
			name: filled.name,
			node: name,
			service: filled.credentials.includes('difyApi') ? 'dify' : 'model',
			type: 'action',
			labels: filled.labels,
			fields: filled.fields,
			parameters: filled.parameters,
			run: async (setup) => {
				const { credentials, continueOnFail, hasErrorOutput, signal, isTool = false } = setup;
				const { operation } = filled.parameters;
				const { context, chunks, hints, metadata } = executeContext({
					items: setup.items
						? [...setup.items]
						: credentials.map((_, at) => createItem(at, { ...setup, operation })),
					perItem: credentials.map((_, itemIndex) => getItemParameters(filled, setup, itemIndex)),
					credentials: [...credentials],
					continueOnFail,
					hasErrorOutput,
					signal,
					streaming: !isTool,
					onRead: setup.onRead,
					type: filled.type + (isTool ? 'Tool' : ''),
				});
				const items = await node.execute!.call(context);
				return { items: items as INodeExecutionData[][], chunks, hints, metadata };
			},
		}));
}

/** One use of a sub-node or a trigger. */
interface Use {
	url: string;
	credentials: ICredentialDataDecryptedObject;
	itemIndex: number;
	/** Parameters of the node. */
	parameters: INodeParameters;
	/** Put over the context. */
	context: object;
	/** What is asked, with the ID of the item. */
	question: string;
	/** Takes the hints at the node. */
	hints: NodeExecutionHint[];
}

/** An operation without what its node's description says. */
type Described = Omit<Operation, 'labels' | 'fields'>;

/** An operation without items: used once for each credential. */
const used = (
	node: string,
	name: string,
	properties: Pick<Operation, 'service' | 'type'> & { parameters?: INodeParameters },
	use: (given: Use) => Promise<unknown>,
): Described => ({
	name: `${node} ${name}`,
	node,
	service: properties.service,
	type: properties.type,
	parameters: properties.parameters ?? {},
	run: async ({ credentials: all, signal, options, parameters: further }) => {
		const parameters = { ...properties.parameters, ...further };
		const hints: NodeExecutionHint[] = [];
		const uses = all.map(
			async (credentials, itemIndex) =>
				await use({
					url: String(credentials.baseUrl),
					credentials,
					itemIndex,
					parameters: {
						model: toLocator(MODEL),
						...parameters,
						options: { ...asOptions(parameters.options), ...options },
					},
					context: {
						getExecutionCancelSignal: () => signal,
						// Of the item that the node asks for, whatever item it is supplied for.
						getCredentials: async (_type: string, index = 0) => all[index],
						addExecutionHints: (...added: NodeExecutionHint[]) => void hints.push(...added),
					},
					hints,
					question: `Tell me about the llama ${getItemId(itemIndex)}.`,
				}),
		);
		return { returned: await Promise.all(uses), hints };
	},
});

const asOptions = (options: unknown): INodeParameters => (options ?? {}) as INodeParameters;

const CHAT = { service: 'model', type: 'subNode', parameters: { options: OPTIONS } } as const;
/** These have no further timeouts. */
const TASK = {
	service: 'model',
	type: 'subNode',
	parameters: { options: { firstTokenTimeout: 30, maxRetries: 0 } },
} as const;

const OTHERS: readonly Described[] = [
	used('LocalChatModel', 'streamed', CHAT, async ({ url, question, ...setup }) => {
		const { supplied: model } = await chatModel(url, setup);
		const chunks = await streamOf(model.bindTools([WEATHER]), question);
		return { chunks, text: textOf(chunks) };
	}),
	used('LocalChatModel', 'invoked', CHAT, async ({ url, question, ...setup }) => {
		const { supplied: model } = await chatModel(url, setup);
		return await model.invoke(question);
	}),
	used('LocalEmbeddings', 'query', TASK, async ({ url, question, ...setup }) => {
		const { supplied: model } = await embeddings(url, setup);
		return await model.embedQuery(question);
	}),
	used('LocalEmbeddings', 'documents', TASK, async ({ url, question, ...setup }) => {
		const { supplied: model } = await embeddings(url, setup);
		return await model.embedDocuments([question]);
	}),
	used('LocalReranker', 'documents', TASK, async ({ url, question, ...setup }) => {
		const { supplied: model } = await reranker(url, setup);
		return await model.compressDocuments([{ pageContent: 'a llama', metadata: {} }], question);
	}),
	used(
		'DifyRetriever',
		'query',
		{ service: 'dify', type: 'subNode' },
		async ({ url: baseUrl, credentials, question, ...setup }) => {
			const access = { baseUrl, apiKey: String(credentials.apiKey) };
			const parameters = { difyDatasetIds: [DATASET_ID], topK: 5, ...setup.parameters };
			const { retriever } = await supplyRetriever(access, parameters, setup);
			return await retriever.invoke(question);
		},
	),
	used(
		'DifyTrigger',
		'poll',
		{ service: 'dify', type: 'trigger', parameters: { event: 'feedback' } },
		async (given) => await poll('DifyTrigger', given),
	),
	used(
		'ServerHealthTrigger',
		'poll',
		{
			service: 'model',
			type: 'trigger',
			parameters: { options: { confirmations: 1, timeout: 30 } },
		},
		async (given) => await poll('ServerHealthTrigger', given),
	),
];

async function poll(name: string, { parameters, credentials }: Use): Promise<object> {
	const watched = polling(await createNode(name), { parameters, credentials: () => credentials });
	const items = await watched.poll();
	return { items, stored: watched.stored() };
}

async function withDescription(operation: Described): Promise<Operation> {
	const { description } = await createNode(operation.node);
	const { properties: fields } = description;
	const collections = fields.filter(({ name }) => name === 'options');
	const offered = collections.flatMap(({ options = [] }) => options.map(({ name }) => name));
	return {
		...operation,
		fields,
		labels: fields.flatMap(getLabels),
		run: async ({ options = {}, ...setup }) => {
			const own = Object.entries(options).filter(([name]) => offered.includes(name));
			return await operation.run({ ...setup, options: Object.fromEntries(own) });
		},
	};
}

export async function listOperations(): Promise<Operation[]> {
	const actions = await Promise.all(NODES.map(actionsOf));
	return [...actions.flat(), ...(await Promise.all(OTHERS.map(withDescription)))];
}
