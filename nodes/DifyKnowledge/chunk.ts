import type { INodeProperties } from 'n8n-workflow';

import {
	createChunks,
	deleteChunk,
	getChunk,
	listChunks,
	updateChunk,
	type ChunkPlace,
	type ChunkValues,
	type DocumentPlace,
} from '../../lib/dify/knowledge/chunks';
import { mostIn, pagingFields } from '../shared/dify/fields';
import { datasetField, datasetIdIn } from '../shared/dify/knowledge-fields';
import type { NodeParameters } from '../shared/parameters';
import type { KnowledgeOperation } from './call';
import { documentField, documentIdIn, idField, idIn, keywordField, optionsField, textIn, textsIn } from './fields';

export const chunkField = idField('Chunk ID', 'chunkId');
const placeFields = [datasetField, documentField];

export function documentPlace(parameters: NodeParameters): DocumentPlace {
	return { baseId: datasetIdIn(parameters), documentId: documentIdIn(parameters) };
}

export function chunkPlace(parameters: NodeParameters): ChunkPlace {
	return { ...documentPlace(parameters), chunkId: idIn(parameters, 'chunkId') };
}

export const contentField: INodeProperties = {
	displayName: 'Content',
	name: 'content',
	type: 'string',
	typeOptions: { rows: 3 },
	default: '',
	description: 'The text; in a Q&A knowledge base the question',
};

const values: INodeProperties[] = [
	{
		displayName: 'Answer',
		name: 'answer',
		type: 'string',
		typeOptions: { rows: 3 },
		default: '',
		description: 'Needed in a Q&A knowledge base, and ignored elsewhere',
	},
	{
		displayName: 'Keywords',
		name: 'keywords',
		type: 'string',
		default: '',
		description: 'Separate them with commas, or give a list. Without them, Dify chooses some itself.',
	},
];

function valuesIn(parameters: NodeParameters): ChunkValues {
	return { answer: textIn(parameters, 'options.answer'), keywords: textsIn(parameters, 'options.keywords') };
}

export const chunkCreate: KnowledgeOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a chunk' },
	fields: [...placeFields, { ...contentField, required: true }, optionsField(values)],
	run: async ({ api, parameters, signal, hint }) => {
		const chunk = { ...valuesIn(parameters), content: parameters.freeText('content') };
		const { chunks, remarks } = await createChunks(api, documentPlace(parameters), [chunk], signal);
		remarks.forEach(hint);
		return chunks;
	},
};

export const chunkDelete: KnowledgeOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a chunk' },
	fields: [...placeFields, chunkField],
	run: async ({ api, parameters, signal }) => {
		const place = chunkPlace(parameters);
		return [{ chunkId: place.chunkId, deleted: true, existed: await deleteChunk(api, place, signal) }];
	},
};

export const chunkGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a chunk' },
	fields: [...placeFields, chunkField],
	run: async ({ api, parameters, signal }) => [await getChunk(api, chunkPlace(parameters), signal)],
};

export const chunkGetAll: KnowledgeOperation = {
	option: { name: 'Get Many', value: 'getAll', action: 'Get many chunks', description: 'In their order' },
	fields: [...placeFields, keywordField, ...pagingFields],
	run: async ({ api, parameters, signal }) =>
		await listChunks(api, documentPlace(parameters), mostIn(parameters), parameters.freeText('keyword'), signal),
};

export const chunkUpdate: KnowledgeOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a chunk' },
	fields: [
		...placeFields,
		chunkField,
		optionsField([
			...values,
			contentField,
			{
				displayName: 'Enabled',
				name: 'enabled',
				type: 'boolean',
				default: true,
				description: 'Whether the chunk is found. Dify changes a disabled chunk only together with enabling it.',
			},
		]),
	],
	run: async ({ api, parameters, signal }) => {
		const enabled = parameters.flag('options.enabled', undefined);
		const chunk = { ...valuesIn(parameters), content: textIn(parameters, 'options.content'), enabled };
		return [await updateChunk(api, chunkPlace(parameters), chunk, signal)];
	},
};
