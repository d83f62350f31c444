/** Operations of the Dify nodes that process items, and how they run. */
import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { parseOpenAiUsage } from '../../../lib/chat/read/usage';
import type { DifyClient, Method, ListEndpoint } from '../../../lib/dify/client';
import { fetchAllPages } from '../../../lib/dify/client';
import type { DifyKeyType } from '../../../lib/dify/credentials';
import { openDifyClient } from '../../../lib/dify/credentials';
import type { RunResult } from '../../../lib/dify/types';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord } from '../../../lib/values/records';
import { asFiniteNumber } from '../../../lib/values/numbers';
import type { NodeParameters } from '../parameters';
import type { NodeResource, Operation, OperationCall, OperationTable } from '../run/operations';
import { toOperationItems } from '../run/operations';
import { runOperations } from '../run/run-operations';
import { addTokenTotals } from '../token-totals';
import { pagingFields, readLimit, readPath } from './dify-fields';
import { toDifyNodeError } from './dify-node-error';

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

/** The method `execute` of such a node. */
type Execute = (this: IExecuteFunctions) => Promise<INodeExecutionData[][]>;

/**
 * Runs the operations of such a node.
 *
 * @param keyType of the credential that the node requires
 */
export function createDifyExecute(
	table: OperationTable<DifyOperation>,
	keyType: DifyKeyType,
): Execute {
	return async function (this) {
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

/** An operation that sends one request, and returns its response. */
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

/** The operation Get Many of a resource, with its paging fields. */
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
