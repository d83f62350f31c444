/** Operations of the Dify nodes that process items, and the fields that several of them have. */
import type {
	IExecuteFunctions,
	INode,
	INodeExecutionData,
	INodeProperties,
	INodeTypeDescription,
	NodeOperationError,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { parseOpenAiUsage } from '../../../lib/chat/usage';
import type { DifyClient, Method, ListEndpoint } from '../../../lib/dify/client';
import { fetchAllPages, parseUser, parseUuid } from '../../../lib/dify/client';
import type { DifyKeyType } from '../../../lib/dify/credentials';
import { openDifyClient } from '../../../lib/dify/credentials';
import type { RunResult } from '../../../lib/dify/types';
import type { NodeErrorOptions } from '../../../lib/errors/node-error';
import { toErrorDetails, toNodeError } from '../../../lib/errors/node-error';
import { ServerError } from '../../../lib/errors/server-error';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord, omitUndefined } from '../../../lib/values/records';
import { asFiniteNumber } from '../../../lib/values/numbers';
import type { NodeParameters } from '../parameters';
import type { NodeResource, Operation, OperationCall, OperationTable } from '../run/operations';
import { toOperationItems } from '../run/operations';
import { runOperations } from '../run/run-operations';
import { addTokenTotals } from '../token-totals';
import { parseOrigins } from '../../../lib/dify/files';
import { createFileSource } from '../binary';
import {
	booleanField,
	resourceLocatorField,
	ID_EXAMPLE,
	stringField,
	integerField,
	choiceField,
	shownIf,
} from '../field-builders';
import { secondsField } from '../timeout-fields';
import type { FileSource } from '../../../lib/http/multipart';

export const DEFAULT_USER =
	'If empty: the session of the Chat Trigger, otherwise the "user" of the item, otherwise this workflow.';

export const SAME_USER = `so use the same value in all Dify nodes. ${DEFAULT_USER} Dify does not verify the value.`;

/** The user that owns the data in Dify. Default: see `readRawUser`. */
export const userField: INodeProperties = stringField('User', 'user', {
	placeholder: 'e.g. user-42',
	description: `The user who sends the request. Dify keeps the conversations, messages, files and ratings of different users apart, ${SAME_USER}`,
});

/** A conversation, from the list of the user or by ID. */
export function conversationField(overrides: Partial<INodeProperties> = {}): INodeProperties {
	return resourceLocatorField('Conversation', 'conversationId', 'searchConversations', overrides);
}

export function messageField(description: string): INodeProperties {
	return stringField('Message ID', 'messageId', {
		default: '={{ $json.messageId }}',
		required: true,
		placeholder: ID_EXAMPLE,
		description,
	});
}

/** "Return All" and "Limit". */
const pagingFields = [
	booleanField(
		'Return All',
		'returnAll',
		false,
		'Whether to return all results or only up to a given limit',
	),
	integerField('Limit', 'limit', 50, [1], {
		...shownIf('returnAll', false),
		description: 'Max number of results to return',
	}),
];

/** Reads the paging fields. */
function readLimit(parameters: NodeParameters) {
	return parameters.boolean('returnAll') ? Infinity : parameters.number('limit');
}

/** Field for the input binary field. `contents`: "the file", "the recording" and so on. */
export function binaryField(contents: string): INodeProperties {
	return stringField('Input Binary Field', 'binaryPropertyName', {
		default: 'data',
		required: true,
		hint: `The name of the input binary field with ${contents}`,
	});
}

/** Reads the file of the input binary field. */
export async function readFile({
	context,
	itemIndex,
	parameters,
}: OperationCall): Promise<FileSource> {
	return await createFileSource(context, itemIndex, parameters.string('binaryPropertyName'));
}

/** The field for the output binary field. */
export function outputField(
	name: string,
	overrides: Partial<INodeProperties> = {},
): INodeProperties {
	return stringField('Put Output File in Field', name, {
		default: 'data',
		hint: 'The name of the output binary field to put the file in',
		...overrides,
	});
}

/** Option for additional origins of files. `files`: for example "files of the outputs". */
export function fetchFilesFromField(files: string): INodeProperties {
	return stringField('Fetch Files From', 'fetchFilesFrom', {
		placeholder: 'e.g. https://files.example.com',
		description: `Additional URLs, separated by commas, from which ${files} may be downloaded if this Dify stores its files elsewhere (FILES_URL, S3). The URL of the credential is always allowed.`,
	});
}

/** Reads this option. Throws a `ServerError` for invalid URLs. */
export function readFileOrigins(parameters: NodeParameters): string[] {
	return parseOrigins(parameters.rawString('options.fetchFilesFrom'));
}

/** The user of the item. Throws a `ServerError` if there is none. */
export function readUser(parameters: NodeParameters): string {
	return parseUser(readRawUser(parameters));
}

/** The unchecked user of the field. If empty, the default user. */
export function readRawUser(parameters: NodeParameters): unknown {
	return parameters.isUnset('user') ? getDefaultUser(parameters) : parameters.value('user');
}

/** The chat session, otherwise the user of the item, otherwise one for the workflow. */
function getDefaultUser(parameters: NodeParameters): unknown {
	const { sessionId, user } = parameters.item();
	const workflowId = parameters.workflowId();
	return sessionId ?? user ?? (workflowId === undefined ? 'n8n' : `n8n-${workflowId}`);
}

const NO_MESSAGE =
	'Add this node after Dify Chat Message, and drag the field messageId of its output to Message ID. If other nodes are in between, drag it from the Dify Chat Message node itself.';

/** The ID in a field. Throws an error of type `invalidId` if the field is empty or has another value. */
export function readId(parameters: NodeParameters, name: string): string {
	const label = parameters.field(name).label.toLowerCase().replace(/ id$/, '');
	return parseUuid(
		parameters.value(name),
		`${label} ID`,
		name === 'messageId' ? NO_MESSAGE : undefined,
	);
}

/** A path with the IDs of fields: "/datasets/{difyDatasetId}". */
export function readPath(parameters: NodeParameters, template: string): string {
	return template.replace(/\{(\w+)\}/g, (_match, name: string) => readId(parameters, name));
}

export const simplifyField: INodeProperties = booleanField(
	'Simplify',
	'simplify',
	true,
	'Whether to return a simplified version of the response instead of the raw data',
);

/** Field for runs that pause for human input. */
export function onPauseField(description: string): INodeProperties {
	return choiceField(
		'When Workflow Pauses',
		'onPause',
		'return',
		{
			error: 'Fail',
			return: [
				'Return Paused Run',
				'The output item then has the status "paused" and the pending forms',
			],
		},
		description,
	);
}

/** The end of the description of Retries. */
export const RETRY_CONDITION =
	'that Dify did not accept: a refused connection, or too many requests. A run that may have started is never sent again.';

/** Options of every node that starts runs, by name. */
export const RUN_OPTIONS = {
	enableStreaming: booleanField(
		'Enable Streaming',
		'enableStreaming',
		true,
		'Whether to stream the response to the n8n chat if the Chat Trigger or Webhook responds with streaming. Items are then processed one after another. Expressions are evaluated for the first item only.',
	),
	idleTimeout: secondsField(
		'Idle Timeout (Seconds)',
		'idleTimeout',
		600,
		'How long to wait without an event of the run; Dify pings do not count. 0 = no limit.',
	),
	maxConcurrentItems: integerField('Max Concurrent Items', 'maxConcurrentItems', 1, [1, 64]),
	maxRetries: integerField('Retries', 'maxRetries', 2, [0, 10]),
	totalTimeout: secondsField(
		'Total Timeout (Seconds)',
		'totalTimeout',
		0,
		'How long a run may take. After that, the node requests a stop. Dify stops a run after 20 minutes by default. 0 = no limit.',
	),
	traceId: stringField(
		'Trace ID',
		'traceId',
		'ID of this run in the tracing service connected to Dify: up to 128 letters, digits, hyphens and underscores',
	),
	workflowId: stringField('Workflow ID', 'workflowId'),
} satisfies Record<string, INodeProperties>;

/** Access of an item's credential: to an app, or to the knowledge bases of a workspace. */
interface DifyAccess {
	/** Until the signal of the item aborts. */
	client: DifyClient;
}

export type DifyCall = OperationCall<DifyAccess>;
export type DifyOperation = Operation<DifyAccess>;
export type DifyResource = NodeResource<DifyOperation>;

/** Common description of all Dify nodes that process items. */
export const difyActionNode = {
	group: ['transform'],
	version: 1,
	inputs: [NodeConnectionTypes.Main],
	outputs: [NodeConnectionTypes.Main],
	credentials: [{ name: 'difyApi', required: true }],
} satisfies Partial<INodeTypeDescription>;

/** Runs the operations of such a node. */
export function createDifyExecute(table: OperationTable<DifyOperation>, keyType: DifyKeyType) {
	return async function (this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const clients = new Map<string, DifyClient>();
		return await runOperations(this, {
			table,
			getAccess: async (itemIndex, signal) => {
				const client = await openDifyClient(this, keyType, itemIndex);
				const { id } = client.endpoint;
				const cachingClient = clients.get(id) ?? client;
				clients.set(id, cachingClient);
				return { client: cachingClient.withSignal(signal) };
			},
			createNodeError: toDifyNodeError,
		});
	};
}

/** n8n's error, with data for workflows: Dify's code, the status, the IDs, and the partial response. */
export function toDifyNodeError(
	node: INode,
	error: unknown,
	options?: NodeErrorOptions,
): NodeOperationError {
	const nodeError = toNodeError(node, error, options);
	if (error instanceof ServerError) {
		const { partialText, httpStatus, type, ...details } = toErrorDetails(error);
		nodeError.context.data = {
			type,
			...omitUndefined({ status: httpStatus }),
			...details,
			...omitUndefined({ answer: partialText }),
		};
	}
	return nodeError;
}

/** An operation with one request. Dify validates its values. */
interface RequestOperation extends Omit<DifyOperation, 'run'> {
	/** Method and path, with the IDs of fields: "GET /datasets/{difyDatasetId}". */
	request: `${Method} /${string}`;
	/** Values for the query of a GET, otherwise for the body. */
	getValues?(parameters: NodeParameters): JsonRecord;
	/** Converts the response to items. Default: the response as one item. */
	toItems?(response: JsonRecord, parameters: NodeParameters): object | object[];
	/** Whether it may be resent. Default: GET only. */
	isIdempotent?: boolean;
	/** Timeout in milliseconds, for example for language models. */
	timeoutMs?: number;
}

export function defineRequestOperation({
	request,
	getValues = () => ({}),
	toItems = (response) => response,
	isIdempotent,
	timeoutMs,
	...operation
}: RequestOperation): DifyOperation {
	const [method, path] = request.split(' ') as [Method, string];
	const payloadName = method === 'GET' ? 'query' : 'json';
	return {
		...operation,
		run: async ({ client, parameters }) => {
			const options = { [payloadName]: getValues(parameters), isIdempotent, timeoutMs };
			const json = await client.requestJson(method, readPath(parameters, path), options);
			return toOperationItems([toItems(asRecord(json), parameters)].flat());
		},
	};
}

/** The operation Get Many, which reads a list. */
interface ListOperation extends Omit<DifyOperation, 'run' | 'name' | 'value'> {
	list(parameters: NodeParameters, context: IExecuteFunctions): ListEndpoint;
	/** Fields after the paging fields. */
	extraFields?: INodeProperties[];
	/** Converts a record. Default: unchanged. */
	toItem?(record: JsonRecord): JsonRecord;
}

export function defineListOperation({
	list,
	extraFields = [],
	toItem = (record) => record,
	...operation
}: ListOperation): DifyOperation {
	return {
		...operation,
		name: 'Get Many',
		value: 'getAll',
		fields: [...operation.fields, ...pagingFields, ...extraFields],
		run: async ({ client, context, parameters }) => {
			const endpoint = list(parameters, context);
			const records = await fetchAllPages(client, endpoint, readLimit(parameters));
			return toOperationItems(records.map(toItem));
		},
	};
}

/** Shows the warnings of a finished run, and adds its usage to the totals of the execution. */
export function reportRun(
	{ context, hint }: DifyCall,
	{ warnings, usage, status }: RunResult,
): void {
	warnings.forEach(hint);
	const totalMs = (asFiniteNumber(usage?.latency) ?? 0) * 1000;
	if (status !== 'paused') addTokenTotals(context, { usage: parseOpenAiUsage(usage), totalMs });
}
