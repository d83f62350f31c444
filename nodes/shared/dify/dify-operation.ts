/** Operations of the Dify nodes that process items. */
import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type INodeProperties,
	type INodeTypeDescription,
	type NodeOperationError,
} from 'n8n-workflow';
import { parseOpenAiUsage } from '../../../lib/chat/usage';
import {
	type Method,
	type Query,
	fetchAllPages,
	type ListEndpoint,
} from '../../../lib/dify/client';
import {
	createDifyAccess,
	type DifyAccess,
	type DifyKeyType,
	openDifyClient,
} from '../../../lib/dify/credentials';
import type { RunResult } from '../../../lib/dify/types';
import { toErrorDetails, toNodeError, type NodeErrorOptions } from '../../../lib/errors/node-error';
import { ServerError } from '../../../lib/errors/server-error';
import { asFiniteNumber, asRecord, type JsonRecord, omitUndefined } from '../../../lib/values';
import type { NodeParameters } from '../parameters';
import {
	toOperationItems,
	type NodeResource,
	type Operation,
	type OperationCall,
	type OperationTable,
} from '../run/operations';
import { runOperations } from '../run/run-operations';
import { addTokenTotals } from '../token-totals';
import { readLimit, pagingFields } from './fields';

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
export function createDifyExecute(
	table: OperationTable<DifyOperation>,
	keyType: DifyKeyType,
	getSequenceKey?: (context: IExecuteFunctions, itemIndex: number) => string | undefined,
) {
	return async function (this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const accessById = new Map<string, ReturnType<typeof createDifyAccess>>();
		return await runOperations(this, {
			table,
			getAccess: async (itemIndex, signal) => {
				const client = await openDifyClient(this, keyType, itemIndex);
				const { id } = client.endpoint;
				const getAccess = accessById.get(id) ?? createDifyAccess(client);
				accessById.set(id, getAccess);
				return getAccess(signal);
			},
			createNodeError: toDifyNodeError,
			getSequenceKey: (itemIndex) => getSequenceKey?.(this, itemIndex),
		});
	};
}

/** n8n's error, with data for workflows: Dify's code, the status, the IDs, and the partial response. */
export function toDifyNodeError(
	node: INode,
	error: unknown,
	options: NodeErrorOptions,
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
	/** Method, path, and values for the query of a GET, otherwise for the body. */
	request(parameters: NodeParameters): readonly [method: Method, path: string, values?: JsonRecord];
	/** Converts the response to items. Default: the response as one item. */
	toItems?(response: JsonRecord, parameters: NodeParameters): object | object[];
	/** Whether it may be resent. Default: GET only. */
	isIdempotent?: boolean;
	/** Timeout in milliseconds, for example for language models. */
	timeoutMs?: number;
}

export function defineRequestOperation({
	request,
	toItems,
	isIdempotent,
	timeoutMs,
	...operation
}: RequestOperation): DifyOperation {
	return {
		...operation,
		run: async ({ client, parameters }) => {
			const [method, path, values = {}] = request(parameters);
			const payload = method === 'GET' ? { query: values as Query } : { json: values };
			const options = { ...payload, isIdempotent, timeoutMs };
			const response = asRecord(await client.requestJson(method, path, options));
			return toOperationItems([toItems?.(response, parameters) ?? response].flat());
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
