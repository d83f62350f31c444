import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import type { Method, Query } from '../../../lib/dify/client';
import { fetchAllPages, type ListEndpoint } from '../../../lib/dify/pagination';
import { asRecord, type JsonRecord } from '../../../lib/values';
import type { NodeParameters } from '../parameters';
import { toOperationItems } from '../run/operations';
import { readLimit, pagingFields } from './fields';
import type { DifyOperation } from './dify-operation';

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
