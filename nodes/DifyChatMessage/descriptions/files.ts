import type { INodeProperties } from 'n8n-workflow';

export const filesField: INodeProperties = {
	displayName: 'Files',
	name: 'files',
	type: 'fixedCollection',
	typeOptions: { multipleValues: true },
	placeholder: 'Add File',
	default: {},
	description: 'Files to send with the message. File upload must be switched on in the app.',
	options: [
		{
			displayName: 'File',
			name: 'file',
			values: [
				{
					displayName: 'Source',
					name: 'source',
					type: 'options',
					options: [
						{
							name: 'All Binary Properties',
							value: 'all',
							description: 'Every file of the item, for example what was dropped into the chat',
						},
						{ name: 'Binary Property', value: 'binary' },
						{ name: 'URL', value: 'url', description: 'An address that Dify itself fetches' },
					],
					default: 'binary',
				},
				{
					displayName: 'Input Binary Field',
					name: 'binaryProperty',
					type: 'string',
					default: 'data',
					displayOptions: { show: { source: ['binary'] } },
					hint: 'Name of the binary property; several are separated by commas',
				},
				{
					displayName: 'URL',
					name: 'url',
					type: 'string',
					default: '',
					displayOptions: { show: { source: ['url'] } },
					placeholder: 'https://example.com/picture.png',
					hint: 'Several are separated by blanks, or a list. An item without a URL is an error; an expression that gives an empty list sends none',
				},
				{
					displayName: 'Type',
					name: 'type',
					type: 'options',
					options: [
						{ name: 'Audio', value: 'audio' },
						{
							name: 'Automatic',
							value: 'auto',
							description: 'From the name and the MIME type, and from what the app takes',
						},
						{ name: 'Custom', value: 'custom', description: 'Another kind, whose extension the app allows' },
						{ name: 'Document', value: 'document' },
						{ name: 'Image', value: 'image' },
						{ name: 'Video', value: 'video' },
					],
					default: 'auto',
				},
			],
		},
	],
};
