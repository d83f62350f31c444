/** Fields of several operations. */
import type { INodeProperties } from 'n8n-workflow';
import { optionsCollection, integerField, stringField } from '../shared/field-builders';

/**
 * Options field of an operation that runs per item.
 *
 * @param concurrency - Default of Max Concurrent Items.
 */
export function createOptionsField(
	options: readonly INodeProperties[],
	concurrency = 4,
): INodeProperties {
	const concurrencyField = integerField(
		'Max Concurrent Items',
		'maxConcurrentItems',
		concurrency,
		[1, 64],
		'How many items to process at the same time; use the number of server slots. The item order is preserved. Expressions are evaluated for the first item only.',
	);
	return optionsCollection([...options, concurrencyField]);
}

/** Field for the name of the input binary field. */
export function inputFileField(description: string): INodeProperties {
	return stringField('Input Binary Field', 'binaryPropertyName', {
		required: true,
		default: 'data',
		hint: 'The name of the input binary field that contains the file',
		description,
	});
}

/** Option for the name of the output file. */
export function fileNameField(defaultValue: string): INodeProperties {
	return stringField('File Name', 'fileName', {
		default: defaultValue,
		description: 'Without extension; the extension follows from the file type',
	});
}
