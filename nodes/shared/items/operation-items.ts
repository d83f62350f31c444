/** Items of operations. */
import type { INodeExecutionData } from 'n8n-workflow';
import { omitUndefined } from '../../../lib/values/records';
import type { OperationItem } from './operation';

/** Wraps records as items. */
export function toOperationItems(records: readonly object[]): OperationItem[] {
	return records.map((json) => ({ json }));
}

/** Converts to n8n's item, without undefined fields, which n8n would store. */
export function toExecutionItem({ json, binary, from = 0 }: OperationItem): INodeExecutionData {
	return {
		json: omitUndefined(json),
		...omitUndefined({ binary }),
		pairedItem: Array.isArray(from) ? from.map((item) => ({ item })) : { item: from },
	} as INodeExecutionData;
}
