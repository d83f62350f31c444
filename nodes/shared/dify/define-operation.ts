import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import type { Method, Query } from '../../../lib/dify/client';
import { fetchAllPages, type ListEndpoint } from '../../../lib/dify/pagination';
import { asRecord, type JsonRecord } from '../../../lib/values';
import type { NodeParameters } from '../parameters';
import { toOperationItems } from '../run/operations';
import { readLimit, pagingFields } from './fields';
import type { DifyOperation } from './dify-operation';

type Fields = Pick<DifyOperation, 'option' | 'fields'>;

/** An operation that is one request. Dify's refusal is the check of its values. */
interface RequestOperation extends Fields {
	/** Method, path, and what goes into the query of a GET, else into the body. */
	request(parameters: NodeParameters): readonly [method: Method, path: string, values?: JsonRecord];
	/** The items of the answer. Default: one, which is the answer. */
	toItems?(answer: JsonRecord, parameters: NodeParameters): object | object[];
	/** Twice does the same as once. Default: GET only. */
	isIdempotent?: boolean;
	/** Milliseconds. A language model takes its time. */
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
			const sent = method === 'GET' ? { query: values as Query } : { json: values };
			const answer = asRecord(await client.requestJson(method, path, { ...sent, ...options }));
			return toOperationItems([toItems?.(answer, parameters) ?? answer].flat());
		},
	};
}

/** An operation that reads a list. */
interface ListOperation extends Fields {
	list(parameters: NodeParameters, context: IExecuteFunctions): ListEndpoint;
	/** Fields behind those of the limit. */
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
