/** The operation Get Many of a resource of Dify. */
import type { FieldTable, Values } from '../../../lib/fields/field';
import type { ListEndpoint } from '../../../lib/dify/pages';
import { fetchAllPages } from '../../../lib/dify/pages';
import type { JsonRecord } from '../../../lib/values/records';
import { toOperationItems } from '../items/operation-items';
import { defineOperation } from '../items/define-operation';
import type { FieldValues } from '../items/define-operation';
import { pagingFields, toLimit } from './common-fields';
import type { DifyCall, DifyOperation } from './dify-operation';

/** The operation Get Many, which reads a list. */
interface ListDefinition<T extends FieldTable, E extends FieldTable> extends Omit<
	DifyOperation,
	'execute' | 'fields' | 'mainFields' | 'name' | 'value' | 'runsOnceForAllItems' | 'getSequenceKey'
> {
	fields: T;
	/** Fields after the paging fields. Default: none. */
	extraFields?: E;
	list(call: DifyCall & FieldValues<T & E>): ListEndpoint;
	/** Converts a record. Default: unchanged. */
	toItem?(record: JsonRecord): JsonRecord;
	/** The hint of a list without records, if something else than their lack may be the cause. Default: none. */
	describeEmpty?(call: DifyCall & FieldValues<T & E>): string;
}

/** The operation Get Many of a resource, with its paging fields. */
export function defineListOperation<
	const T extends FieldTable,
	const E extends FieldTable = Record<never, never>,
>({
	fields,
	extraFields,
	list,
	toItem = (record) => record,
	describeEmpty,
	...entry
}: ListDefinition<T, E>): DifyOperation {
	return defineOperation({
		...entry,
		name: 'Get Many',
		value: 'getAll',
		fields: { ...fields, ...pagingFields, ...extraFields },
		execute: async (call) => {
			const values = call.values as Values<typeof pagingFields>;
			const typedCall = call as unknown as DifyCall & FieldValues<T & E>;
			const limit = toLimit(values);
			const endpoint = list(typedCall);
			// All is read before the first request.
			const emptyHint = describeEmpty?.(typedCall);
			const records = await fetchAllPages(call.client, endpoint, limit);
			if (records.length === 0 && emptyHint !== undefined) call.hint(emptyHint);
			return toOperationItems(records.map(toItem));
		},
	});
}
