import type { RunResult } from '../../../lib/dify/types';
import { parseOpenAiUsage } from '../../../lib/chat/usage';
import { asFiniteNumber, omitUndefined, asRecord, type JsonRecord } from '../../../lib/values';
import {
	type IExecuteFunctions,
	type INodeExecutionData,
	NodeConnectionTypes,
	type INodeTypeDescription,
	type IDataObject,
	type INode,
	type NodeOperationError,
	type INodeProperties,
} from 'n8n-workflow';

import type { DifyClient, Method, Query } from '../../../lib/dify/client';
import { createDifyClient } from '../../../lib/dify/credentials';
import {
	type Operation,
	type OperationCall,
	type OperationTable,
	toOperationItems,
} from '../run/operations';
import { runOperations, type RunOperationsOptions } from '../run/run-operations';
import { addTokenTotals } from '../token-totals';
import { CachedDifyAccess, type DifyAccess } from '../../../lib/dify/access';
import { ServerError } from '../../../lib/errors/server-error';
import { toErrorDetails, toNodeError, type NodeErrorOptions } from '../../../lib/errors/node-error';
import { fetchAllPages, type ListEndpoint } from '../../../lib/dify/pagination';
import type { NodeParameters } from '../parameters';
import { readLimit, pagingFields } from './fields';

export type DifyCall = OperationCall<DifyAccess>;
export type DifyOperation = Operation<DifyAccess>;

/** A client without the key, for signed URLs, which may be on another host. */
export async function createKeylessClient({
	context,
	itemIndex,
	signal,
}: DifyCall): Promise<DifyClient> {
	const data = await context.getCredentials('difyApi', itemIndex);
	return createDifyClient(data, context.helpers, false).withSignal(signal);
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

/** Runs the operations of a Dify node. */
async function runDifyOperations(
	context: IExecuteFunctions,
	table: RunOperationsOptions<DifyAccess>['table'],
	getSequenceKey?: (itemIndex: number) => string | undefined,
): Promise<INodeExecutionData[][]> {
	const apps = new Map<string, CachedDifyAccess>();
	const getAccess = async (itemIndex: number, signal: AbortSignal) => {
		const data = await context.getCredentials('difyApi', itemIndex);
		const key = JSON.stringify(data);
		const app = apps.get(key) ?? new CachedDifyAccess(createDifyClient(data, context.helpers));
		apps.set(key, app);
		return app.withSignal(signal);
	};
	return await runOperations(context, {
		table,
		getAccess,
		createNodeError: toDifyNodeError,
		getSequenceKey,
	});
}

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
	operations: OperationTable<DifyOperation>,
	getSequenceKey?: (context: IExecuteFunctions, itemIndex: number) => string | undefined,
): (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> {
	return async function () {
		return await runDifyOperations(
			this,
			operations,
			getSequenceKey && ((itemIndex) => getSequenceKey(this, itemIndex)),
		);
	};
}

/** Error data for workflows: Dify's code, the status, the IDs, and the partial response. */
function toErrorData(error: unknown): IDataObject {
	if (!(error instanceof ServerError)) return {};
	const { partialText, httpStatus, type, ...details } = toErrorDetails(error);
	return {
		type,
		...omitUndefined({ status: httpStatus }),
		...details,
		...omitUndefined({ answer: partialText }),
	};
}

/** n8n's error, with the same data. */
export function toDifyNodeError(
	node: INode,
	error: unknown,
	options: NodeErrorOptions,
): NodeOperationError {
	const nodeError = toNodeError(node, error, options);
	if (error instanceof ServerError) nodeError.context.data = toErrorData(error);
	return nodeError;
}

type Fields = Pick<DifyOperation, 'option' | 'fields'>;

/** An operation with one request. Dify validates its values. */
interface RequestOperation extends Fields {
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
	option,
	fields,
	request,
	toItems,
	...options
}: RequestOperation): DifyOperation {
	return {
		option,
		fields,
		run: async ({ client, parameters }) => {
			const [method, path, values = {}] = request(parameters);
			const payload = method === 'GET' ? { query: values as Query } : { json: values };
			const response = asRecord(await client.requestJson(method, path, { ...payload, ...options }));
			return toOperationItems([toItems?.(response, parameters) ?? response].flat());
		},
	};
}

/** An operation that reads a list. */
interface ListOperation extends Fields {
	list(parameters: NodeParameters, context: IExecuteFunctions): ListEndpoint;
	/** Fields after the paging fields. */
	extraFields?: INodeProperties[];
}

export function defineListOperation({
	option,
	fields,
	list,
	extraFields = [],
}: ListOperation): DifyOperation {
	return {
		option,
		fields: [...fields, ...pagingFields, ...extraFields],
		run: async ({ client, context, parameters }) =>
			toOperationItems(
				await fetchAllPages(client, list(parameters, context), readLimit(parameters)),
			),
	};
}
