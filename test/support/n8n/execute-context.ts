import type {
	ICredentialDataDecryptedObject,
	IBinaryData,
	IExecuteFunctions,
	INodeExecutionData,
	ITaskMetadata,
	NodeExecutionHint,
} from 'n8n-workflow';

import { deepFreeze } from './deep-freeze';
import { createExecutionId } from './node-host';

export interface ExecuteSetup {
	items?: INodeExecutionData[];
	parameters?: Record<string, unknown>;
	/** Parameters per item, which override `parameters`. */
	perItem?: Array<Record<string, unknown>>;
	/** Parameters as the workflow stores them, with their expressions. */
	written?: Record<string, unknown>;
	credentials: ICredentialDataDecryptedObject | ICredentialDataDecryptedObject[];
	continueOnFail?: boolean;
	/** Whether the node has an error output, to which items with nothing but an error go. Default: no. */
	hasErrorOutput?: boolean;
	/** The Chat Trigger in front responds with streaming. */
	streaming?: boolean;
	/** The Chat Trigger of the workflow, which started the execution unless `isExecuted` is false. */
	chatTrigger?: { name: string; isExecuted?: boolean };
	/** Type of the node; ends with `Tool` when an agent uses it. */
	type: string;
	signal?: AbortSignal;
	/** n8n's ID. Default: a new one. */
	executionId?: string;
	/** Called for each field that is evaluated. */
	onRead?: (name: string, itemIndex: number) => void;
	/** Contents of binary data that n8n keeps outside the item, by id. */
	stored?: Record<string, Uint8Array>;
}

export interface Chunk {
	type: string;
	itemIndex: number;
	content?: unknown;
}

export interface ExecuteFake {
	context: IExecuteFunctions;
	chunks: Chunk[];
	hints: NodeExecutionHint[];
	/** Metadata that the node sets, such as its token usage. */
	metadata: ITaskMetadata;
	/** How often binary data was read into one buffer. */
	wholeReads: number;
}

/** A fake context with the parts that this package's nodes use. */
export function executeContext(setup: ExecuteSetup): ExecuteFake {
	const {
		items = [{ json: {} }] as INodeExecutionData[],
		parameters = {},
		perItem = [],
		written = {},
		credentials,
		hasErrorOutput = false,
		continueOnFail = hasErrorOutput,
		streaming = false,
		type,
		signal,
		executionId = createExecutionId(),
		stored = {},
		chatTrigger,
		onRead = () => {},
	} = setup;
	const fake = {
		chunks: [] as Chunk[],
		hints: [] as NodeExecutionHint[],
		metadata: {} as ITaskMetadata,
		wholeReads: 0,
	};
	const binaryOf = (itemIndex: number, name: string): IBinaryData => {
		const binary = items[itemIndex]?.binary?.[name];
		if (binary === undefined)
			throw new Error(`The item has no binary field '${name}' [item ${itemIndex}]`);
		return binary;
	};
	// Of n8n, which gives the same to other nodes.
	for (const owned of [items, parameters, perItem, written, credentials]) deepFreeze(owned);
	const context = {
		getExecutionId: () => executionId,
		getInputData: () => items,
		getNodeParameter: (
			path: string,
			itemIndex: number,
			fallback: unknown,
			options?: { extractValue?: boolean },
		) => {
			onRead(path, itemIndex);
			const all = { ...parameters, ...perItem[itemIndex] };
			// As in n8n, the fallback is for missing parameters, not for expressions without a value.
			const isThere = path.split('.')[0]! in all;
			const found = isThere
				? path
						.split('.')
						.reduce<unknown>(
							(value, key) => (value as Record<string, unknown> | undefined)?.[key],
							all,
						)
				: fallback;
			const value = found instanceof Error ? raise(found) : found;
			return options?.extractValue === true &&
				typeof value === 'object' &&
				value !== null &&
				'__rl' in value
				? (value as unknown as { value: unknown }).value
				: value;
		},
		getCredentials: async (_name: string, itemIndex: number) =>
			Array.isArray(credentials) ? credentials[itemIndex] : credentials,
		getNode: () => ({
			id: '1',
			name: 'Dify',
			type,
			typeVersion: 1,
			position: [0, 0],
			parameters: written,
			...(hasErrorOutput ? { onError: 'continueErrorOutput' } : {}),
		}),
		getWorkflow: () => ({ id: 'w1', name: 'Workflow', active: false }),
		getNodeOutputs: () => [{ type: 'main' }, { type: 'main' }],
		continueOnFail: () => continueOnFail,
		getExecutionCancelSignal: () => signal,
		getMode: () => 'manual',
		isStreaming: () => streaming,
		getChatTrigger: () => chatTrigger ?? null,
		evaluateExpression: () => chatTrigger?.isExecuted ?? true,
		getTimezone: () => 'Europe/Berlin',
		sendChunk: async (kind: string, itemIndex: number, content?: unknown) =>
			void fake.chunks.push({
				type: kind,
				itemIndex,
				...(content === undefined ? {} : { content }),
			}),
		getExecuteData: () => ({ metadata: fake.metadata }),
		setMetadata: (metadata: ITaskMetadata) => void Object.assign(fake.metadata, metadata),
		addExecutionHints: (...hints: NodeExecutionHint[]) => void fake.hints.push(...hints),
		helpers: {
			assertBinaryData: binaryOf,
			getBinaryMetadata: async (id: string) => ({ fileSize: stored[id]!.byteLength }),
			getBinaryStream: async (id: string, piece: number) => pieces(stored[id]!, piece),
			getBinaryDataBuffer: async () => {
				fake.wholeReads++;
				return new Uint8Array();
			},
			prepareBinaryData: async (
				data: Uint8Array | AsyncIterable<Uint8Array>,
				fileName: string,
				mimeType: string,
			) => ({
				data: (await wholeOf(data)).toString('base64'),
				fileName,
				mimeType,
			}),
		},
	};
	return Object.assign(fake, { context: context as unknown as IExecuteFunctions });
}

function raise(error: Error): never {
	throw error;
}

async function wholeOf(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<Buffer> {
	if (data instanceof Uint8Array) return Buffer.from(data);
	const read: Uint8Array[] = [];
	for await (const piece of data) read.push(piece);
	return Buffer.concat(read);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}
