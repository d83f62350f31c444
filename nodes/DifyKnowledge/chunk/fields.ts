import type { INodeProperties } from 'n8n-workflow';

import type { ChunkIds, ChunkValues, DocumentIds } from '../../../lib/dify/knowledge/chunks';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { longTextField, stringField } from '../../shared/field-kinds';
import type { NodeParameters } from '../../shared/parameters';
import { documentField, documentIdIn, idField, idIn, readId, textIn, textsIn } from '../fields';

export const chunkField = idField('Chunk ID', 'chunkId');

export const placeFields = [datasetField, documentField];

/** Readers of the values that every route of a document has. */
export const documentValues = { dataset_id: datasetIdIn, document_id: documentIdIn };

/** Readers of the values that every route of a chunk has. */
export const chunkValues = { ...documentValues, segment_id: readId('chunkId') };

export function documentIds(parameters: NodeParameters): DocumentIds {
	return { dataset_id: datasetIdIn(parameters), document_id: documentIdIn(parameters) };
}

export function chunkIds(parameters: NodeParameters): ChunkIds {
	return { ...documentIds(parameters), segment_id: idIn(parameters, 'chunkId') };
}

export const contentField = longTextField('Content', 'content', 3, {
	description: 'The text; in a Q&A knowledge base the question',
});

export const values: INodeProperties[] = [
	longTextField('Answer', 'answer', 3, {
		description: 'Needed in a Q&A knowledge base, and ignored elsewhere',
	}),
	stringField('Keywords', 'keywords', {
		description:
			'Separate them with commas, or give a list. Without them, Dify chooses some itself.',
	}),
];

export function valuesIn(parameters: NodeParameters): ChunkValues {
	return {
		answer: textIn(parameters, 'options.answer'),
		keywords: textsIn(parameters, 'options.keywords'),
	};
}
