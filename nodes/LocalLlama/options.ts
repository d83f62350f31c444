import type { INodeProperties } from 'n8n-workflow';
import { booleanField, optionsCollection, integerField } from '../shared/field-builders';

function concurrencyField(preset: number): INodeProperties {
	return integerField('Max Concurrent Items', 'maxConcurrentItems', preset, [1, 64], {
		description:
			'How many items to process at the same time; use the number of server slots. The item order is preserved. Expressions are evaluated for the first item only.',
	});
}

/** For operations that can stream their text into a chat. */
export const streamingField = booleanField('Enable Streaming', 'enableStreaming', true, {
	description:
		'Whether to stream the text to the chat if the trigger of the workflow responds with streaming. Items are then processed one after another.',
});

/**
 * The options of an operation that takes items.
 *
 * @param atOnce how many items are worked on at the same time unless the user says so
 */
export function createOptionsField(
	options: readonly INodeProperties[],
	atOnce = 4,
): INodeProperties {
	return optionsCollection([...options, concurrencyField(atOnce)]);
}
