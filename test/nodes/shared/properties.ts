import type { INodeProperties } from 'n8n-workflow';

/** A node with a field of every type. */
export const PROPERTIES: INodeProperties[] = [
	{ displayName: 'Query', name: 'query', type: 'string', default: '={{ $json.text }}' },
	{
		displayName: 'Kind',
		name: 'kind',
		type: 'options',
		options: [
			{ name: 'A', value: 'a' },
			{ name: 'B', value: 'b' },
		],
		default: 'a',
	},
	{
		displayName: 'Model',
		name: 'model',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [],
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		default: {},
		options: [
			{
				displayName: 'Share',
				name: 'share',
				type: 'number',
				typeOptions: { minValue: 0, maxValue: 1 },
				default: 1,
			},
			{
				displayName: 'Count',
				name: 'count',
				type: 'number',
				typeOptions: { numberPrecision: 0 },
				default: 1,
			},
			{
				displayName: 'Wait (Seconds)',
				name: 'wait',
				type: 'number',
				typeOptions: { minValue: 0 },
				default: 1,
			},
			{ displayName: 'Fast', name: 'fast', type: 'boolean', default: true },
			{ displayName: 'More', name: 'more', type: 'json', default: '{}' },
			{
				displayName: 'Include',
				name: 'include',
				type: 'multiOptions',
				options: [
					{ name: 'X', value: 'x' },
					{ name: 'Y', value: 'y' },
				],
				default: [],
			},
		],
	},
	{
		displayName: 'Files',
		name: 'files',
		type: 'fixedCollection',
		default: {},
		options: [
			{
				displayName: 'File',
				name: 'file',
				values: [{ displayName: 'Name of the File', name: 'name', type: 'string', default: '' }],
			},
		],
	},
];
