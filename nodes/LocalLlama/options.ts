import type { INodeProperties } from 'n8n-workflow';

import { createInputError } from '../../lib/errors/create-error';
import { booleanField, optionsCollection, integerField } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';

function concurrencyField(defaultValue: number): INodeProperties {
	return integerField('Max Concurrent Items', 'maxConcurrentItems', defaultValue, [1, 64], {
		description:
			'How many items to process at the same time; use the number of server slots. The item order is preserved. Expressions are evaluated for the first item only.',
	});
}

/** For operations that can stream their text to a chat. */
export const streamingField = booleanField('Enable Streaming', 'enableStreaming', true, {
	description:
		'Whether to stream the text to the chat if the trigger of the workflow responds with streaming. Items are then processed one after another.',
});

/**
 * Options field of an operation that runs per item.
 *
 * @param concurrency default of Max Concurrent Items
 */
export function createOptionsField(
	options: readonly INodeProperties[],
	concurrency = 4,
): INodeProperties {
	return optionsCollection([...options, concurrencyField(concurrency)]);
}

/**
 * Finds the option that replaces a field of the panel; undefined if none was added.
 *
 * @throws {ServerError} `invalidInput` if several were added
 */
export function findReplacement<Name extends string>(
	parameters: NodeParameters,
	names: readonly Name[],
): Name | undefined {
	const [name, ...others] = names.filter((option) => parameters.hasOption(option));
	if (others.length === 0) return name;
	const labels = names.map((option) => `"${parameters.field(`options.${option}`).label}"`);
	throw createInputError(
		`The options ${labels.join(' and ')} cannot be combined`,
		'Remove one of the two options.',
	);
}
