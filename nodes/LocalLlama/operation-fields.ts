/** Fields of several operations. */
import type { FieldTable, NameField, NoticeField, NumberField } from '../../lib/fields/field';
import type { Options } from '../shared/fields/options-field';
import { optionsField } from '../shared/fields/options-field';
import { maxConcurrentItemsField } from '../shared/items/concurrency';

/**
 * Options field of an operation that runs per item.
 *
 * @param concurrency - Default of Max Concurrent Items.
 */
export function itemOptionsField<const T extends FieldTable>(
	options: T,
	concurrency = 4,
): Options<T & { maxConcurrentItems: NumberField }> {
	const maxConcurrentItems = { ...maxConcurrentItemsField, default: concurrency };
	return optionsField({ ...options, maxConcurrentItems });
}

/** Field for the name of the input binary field. */
export function inputFileField(description: string, whenEmpty?: string): NameField {
	return {
		kind: 'name',
		label: 'Input Binary Field',
		required: true,
		default: 'data',
		hint: 'The name of the input binary field that contains the file',
		description,
		whenEmpty,
	};
}

/** Option for the name of the output binary field. */
export const outputFileField = {
	kind: 'name',
	label: 'Put Output File in Field',
	default: 'data',
	description: 'The name of the output binary field to put the file in',
} as const satisfies NameField;

/** Option for the name of the output file. */
export function fileNameField(defaultValue: string): NameField {
	return {
		kind: 'name',
		label: 'File Name',
		default: defaultValue,
		description: 'Without extension; the extension follows from the file type',
	};
}

/** What the panel of the tool says above fields that the agent does not fill in. */
export function toolNotice(text: string): NoticeField {
	return { kind: 'notice', label: text, shownIf: { '@tool': [true] } };
}
