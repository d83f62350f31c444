/** An operation by the definitions of its fields, whose values it gets. */
import type { FieldTable, Values } from '../../../lib/fields/field';
import type { ItemSource } from '../fields/item-source';
import { readValues } from '../fields/read-values';
import { toProperties } from '../fields/to-properties';
import type { Operation, OperationCall, OperationItem, OperationResult } from './operation';

/** Values of an operation's fields. */
export interface FieldValues<T extends FieldTable> {
	/** Of the item. */
	values: Values<T>;
	/** Of another item. */
	valuesOf(itemIndex: number): Values<T>;
}

/** An operation with the definitions of its fields. */
export interface OperationDefinition<Access extends object, T extends FieldTable> extends Omit<
	Operation<Access>,
	'fields' | 'mainFields' | 'runsOnceForAllItems' | 'getSequenceKey' | 'execute'
> {
	fields: T;
	/**
	 * Optional fields with what the operation is about. An expression in their fixed text is an error, as in required fields.
	 * Default: none.
	 */
	mainFields?: ReadonlyArray<keyof T & string>;
	/** Whether it runs once for all its items; a function decides by the first item that can be read. */
	runsOnceForAllItems?: true | ((values: Values<T>) => boolean);
	/** Items with the same key are processed one after another, in their order. */
	getSequenceKey?(values: Values<T>, source: ItemSource): string | undefined;
	execute(call: OperationCall<Access> & FieldValues<T>): Promise<OperationItem | OperationResult>;
}

/** The operation as the node runs it. */
export function defineOperation<Access extends object, const T extends FieldTable>({
	fields,
	runsOnceForAllItems: runsOnce,
	getSequenceKey,
	execute,
	...entry
}: OperationDefinition<Access, T>): Operation<Access> {
	return {
		...entry,
		fields: toProperties(fields),
		...(runsOnce && {
			runsOnceForAllItems: runsOnce === true || ((source) => runsOnce(readValues(source, fields))),
		}),
		...(getSequenceKey && {
			getSequenceKey: (source) => getSequenceKey(readValues(source, fields), source),
		}),
		execute: async (call) => {
			const values = readValues(call.source, fields);
			const valuesOf = (itemIndex: number) =>
				itemIndex === call.itemIndex ? values : readValues(call.sourceOf(itemIndex), fields);
			return await execute({ ...call, values, valuesOf });
		},
	};
}
