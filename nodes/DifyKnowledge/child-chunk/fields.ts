import { datasetField } from '../../shared/dify/knowledge-fields';
import { chunkField, contentField } from '../chunk/fields';
import { documentField, idField } from '../fields';

export const placeFields = [datasetField, documentField, chunkField];

export const childField = idField('Child Chunk ID', 'childChunkId');

export const textField = {
	...contentField,
	required: true,
	description: 'The text that is found in place of its parent',
};
