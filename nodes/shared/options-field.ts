import type { INodeProperties } from 'n8n-workflow';

/** The collection "Options" of a node or an operation. */
export function collectionOf(options: INodeProperties[]): INodeProperties {
	return {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		options,
	};
}
