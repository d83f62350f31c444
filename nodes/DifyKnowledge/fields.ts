/** Fields of Dify Knowledge. */
import type { INodeProperties } from 'n8n-workflow';
import { binaryField } from '../shared/dify/dify-fields';
import { splitNames } from '../shared/binary';
import {
	longTextField,
	numberField,
	stringField,
	choiceField,
	resourceLocatorField,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { parseModelRef } from '../../lib/dify/knowledge/models';
import type { ModelRef } from '../../lib/dify/knowledge/models';
import { isUnset } from '../../lib/values/records';

export const datasetField: INodeProperties = resourceLocatorField(
	'Knowledge Base',
	'difyDatasetId',
	'searchKnowledgeBases',
	{ required: true },
);

/** A model of the workspace: provider and name in one value. */
export function embeddingModelField(description: string): INodeProperties {
	return resourceLocatorField(
		'Embedding Model',
		'embeddingModel',
		'searchEmbeddingModels',
		{ description },
		{ displayName: 'By Name', placeholder: 'e.g. langgenius/gpustack/gpustack|bge-m3' },
	);
}

/** Reads a model locator. */
export function readModel(parameters: NodeParameters, path: string): ModelRef | undefined {
	return parseModelRef(parameters.rawString(path));
}

/** Field for the indexing technique. */
export function techniqueField(description: string): INodeProperties {
	return choiceField(
		'Technique',
		'technique',
		'high_quality',
		{
			economy: ['Economy', 'Keyword search, without a model'],
			high_quality: ['High Quality', 'Vector search with an embedding model'],
		},
		description,
	);
}

export const documentField: INodeProperties = resourceLocatorField(
	'Document',
	'documentId',
	'searchDocuments',
	{
		required: true,
	},
);

export const documentBinaryField: INodeProperties = binaryField('the file');

export const textField: INodeProperties = longTextField('Text', 'text', 4, {
	required: true,
});

export const keywordField: INodeProperties = stringField(
	'Search',
	'keyword',
	'Part of the name or text to search for. Leave empty for all.',
);

export const indexingWaitField: INodeProperties = numberField(
	'Wait for Indexing (Seconds)',
	'wait',
	300,
	{
		typeOptions: { minValue: 0 },
		description: 'How long to wait until Dify has indexed the document. 0 = do not wait.',
	},
);

/** Reads an array, or text separated by commas. */
export function readTextList(parameters: NodeParameters, path: string): string[] | undefined {
	const value = parameters.value(path);
	if (isUnset(value)) return undefined;
	if (Array.isArray(value)) return value.map(String);
	if (typeof value === 'string') return splitNames(value);
	throw parameters.createError(path, 'must be an array or comma-separated text');
}
