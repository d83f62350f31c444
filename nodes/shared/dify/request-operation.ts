/** An operation of one request to Dify. */
import type { FieldTable } from '../../../lib/fields/field';
import type { Method } from '../../../lib/dify/client';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord } from '../../../lib/values/records';
import { toOperationItems } from '../items/operation-items';
import { defineOperation } from '../items/define-operation';
import type { FieldValues, OperationDefinition } from '../items/define-operation';
import type { DifyCall, DifyOperation } from './dify-operation';

/** An operation with one request. Dify validates its values. */
interface RequestDefinition<T extends FieldTable> extends Omit<
	OperationDefinition<Pick<DifyCall, 'client'>, T>,
	'execute'
> {
	method: Method;
	/** Built by `apiPath`, which checks and encodes the values. */
	getPath(call: DifyCall & FieldValues<T>): string;
	/** Values for the query of a GET, otherwise for the body. Default: none. */
	getValues?(call: DifyCall & FieldValues<T>): JsonRecord;
	/** Converts the response to items. Default: the response as one item. */
	toItems?(response: JsonRecord, call: DifyCall & FieldValues<T>): object | object[];
	/** Whether it may be resent. Default: GET only. */
	isIdempotent?: boolean;
	/** Timeout in milliseconds, for example for language models. */
	timeoutMs?: number;
}

/** An operation that sends one request, and returns its response. */
export function defineRequestOperation<const T extends FieldTable>({
	method,
	getPath,
	getValues = () => ({}),
	toItems = (response) => response,
	isIdempotent,
	timeoutMs,
	...operation
}: RequestDefinition<T>): DifyOperation {
	const payloadName = method === 'GET' ? 'query' : 'json';
	return defineOperation({
		...operation,
		execute: async (call: DifyCall & FieldValues<T>) => {
			const options = { [payloadName]: getValues(call), isIdempotent, timeoutMs };
			const json = await call.client.requestJson(method, getPath(call), options);
			return toOperationItems([toItems(asRecord(json), call)].flat());
		},
	});
}
