/** Operations of one request, or of one list. */
import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import type { Method } from '../../../lib/dify/client';
import type { ListEndpoint } from '../../../lib/dify/pages';
import { fetchAllPages } from '../../../lib/dify/pages';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord } from '../../../lib/values/records';
import type { NodeParameters } from '../parameters';
import { toOperationItems } from '../run/operation-items';
import { pagingFields, readLimit, readPath } from './dify-fields';
import type { DifyOperation } from './dify-operation';

/** An operation with one request. Dify validates its values. */
interface RequestOperation extends Omit<DifyOperation, 'execute'> {
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
		execute: async ({ client, parameters }) => {
			const options = { [payloadName]: getValues(parameters), isIdempotent, timeoutMs };
			const json = await client.requestJson(method, readPath(parameters, path), options);
			return toOperationItems([toItems(asRecord(json), parameters)].flat());
		},
	};
}

/** The operation Get Many, which reads a list. */
interface ListOperation extends Omit<DifyOperation, 'execute' | 'name' | 'value'> {
	list(parameters: NodeParameters, context: IExecuteFunctions): ListEndpoint;
	/** Fields after the paging fields. */
	extraFields?: INodeProperties[];
	/** Converts a record. Default: unchanged. */
	toItem?(record: JsonRecord): JsonRecord;
	/** The hint of a list without records, if something else than their lack may be the cause. Default: none. */
	describeEmpty?(parameters: NodeParameters): string;
}

/** The operation Get Many of a resource, with its paging fields. */
export function defineListOperation({
	list,
	extraFields = [],
	toItem = (record) => record,
	describeEmpty,
	...operation
}: ListOperation): DifyOperation {
	return {
		...operation,
		name: 'Get Many',
		value: 'getAll',
		fields: [...operation.fields, ...pagingFields, ...extraFields],
		execute: async ({ client, context, parameters, hint }) => {
			const endpoint = list(parameters, context);
			const records = await fetchAllPages(client, endpoint, readLimit(parameters));
			if (records.length === 0 && describeEmpty) hint(describeEmpty(parameters));
			return toOperationItems(records.map(toItem));
		},
	};
}
