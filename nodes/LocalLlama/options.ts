import type { INodeProperties } from 'n8n-workflow';

import type { NodeParameters } from '../shared/parameters';

function itemsAtOnce(preset: number): INodeProperties {
	return {
		displayName: 'Items at Once',
		name: 'itemsAtOnce',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 64, numberPrecision: 0 },
		default: preset,
		description:
			'How many items are worked on at the same time, best as many as the server has slots. The order of the items stays. An expression is evaluated for the first item only.',
	};
}

/** For operations whose text can be typed into a chat. */
export const streamingField: INodeProperties = {
	displayName: 'Enable Streaming',
	name: 'enableStreaming',
	type: 'boolean',
	default: true,
	description:
		'Whether the text is typed into the chat as it arrives, where the trigger of the workflow responds with streaming. Items are then worked on one after another.',
};

/**
 * The options of an operation that takes items, in the order of their labels.
 *
 * @param atOnce how many items are worked on at the same time unless the user says so
 */
export function optionsField(options: readonly INodeProperties[], atOnce = 4): INodeProperties {
	return {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		options: [...options, itemsAtOnce(atOnce)].sort((one, other) => one.displayName.localeCompare(other.displayName)),
	};
}

/**
 * How the items are worked on: whether text is typed into a chat that streams, and how many at the same time. An
 * operation without these options types nothing and takes one item after another.
 */
export function workIn(
	parameters: NodeParameters,
	fields: readonly INodeProperties[],
): { types: boolean; atOnce: number } {
	const options = (fields.find(({ name }) => name === 'options')?.options ?? []) as INodeProperties[];
	const offered = options.find(({ name }) => name === 'itemsAtOnce');
	return {
		types: options.includes(streamingField) && parameters.flag('options.enableStreaming', true),
		atOnce: offered === undefined ? 1 : parameters.number('options.itemsAtOnce', offered.default as number),
	};
}
