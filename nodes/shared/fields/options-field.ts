/** The options of a node or an operation. */
import type { FieldTable, OptionsField } from '../../../lib/fields/field';

/** The field Options with these fields. */
export interface Options<T extends FieldTable> extends OptionsField {
	fields: T;
}

/** The collection that every node calls Options. */
export function optionsField<const T extends FieldTable>(fields: T): Options<T> {
	return { kind: 'options', label: 'Options', entry: 'Option', fields };
}
