import type { INodeProperties } from 'n8n-workflow';
import { booleanField, optionsCollection, wholeField } from '../shared/field-kinds';

function itemsAtOnce(preset: number): INodeProperties {
	return wholeField('Items at Once', 'itemsAtOnce', preset, [1, 64], {
		description:
			'How many items are worked on at the same time, best as many as the server has slots. The order of the items stays. An expression is evaluated for the first item only.',
	});
}

/** For operations that can stream their text into a chat. */
export const streamingField = booleanField('Enable Streaming', 'enableStreaming', true, {
	description:
		'Whether the text is typed into the chat as it arrives, where the trigger of the workflow responds with streaming. Items are then worked on one after another.',
});

/**
 * The options of an operation that takes items.
 *
 * @param atOnce how many items are worked on at the same time unless the user says so
 */
export function optionsWith(options: readonly INodeProperties[], atOnce = 4): INodeProperties {
	return optionsCollection([...options, itemsAtOnce(atOnce)]);
}
