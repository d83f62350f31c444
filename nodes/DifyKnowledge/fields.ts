/** Fields of Dify Knowledge. */
import { toWrittenText } from '../../lib/fields/check-value';
import type {
	ChoiceField,
	LocatorField,
	NameField,
	SecondsField,
	TextField,
	ValueSource,
	Values,
} from '../../lib/fields/field';
import { createFieldError } from '../../lib/fields/field-errors';
import { apiPath } from '../../lib/dify/api-path';
import { parseModelRef } from '../../lib/dify/knowledge/models';
import type { ModelRef } from '../../lib/dify/knowledge/models';
import { isUnset } from '../../lib/values/records';
import { splitNames } from '../../lib/n8n/binary';
import { parseId, parseKeyword } from '../shared/dify/common-fields';
import { inputFileField } from '../shared/dify/file-fields';

export const datasetField = {
	kind: 'locator',
	label: 'Knowledge Base',
	search: 'searchKnowledgeBases',
	required: true,
	parse: parseId,
} as const satisfies LocatorField;

/** A model of the workspace: provider and name in one value. */
export const embeddingModelField = {
	kind: 'locator',
	label: 'Embedding Model',
	search: 'searchEmbeddingModels',
	entered: [{ displayName: 'By Name', placeholder: 'e.g. langgenius/gpustack/gpustack|bge-m3' }],
	parse: (value: unknown, source: ValueSource): ModelRef | undefined =>
		parseModelRef(toWrittenText(source, value)),
} as const satisfies LocatorField;

/** The indexing technique. */
export const techniqueField = {
	kind: 'choice',
	label: 'Technique',
	default: 'high_quality',
	choices: {
		economy: ['Economy', 'Keyword search, without a model'],
		high_quality: ['High Quality', 'Vector search with an embedding model'],
	},
} as const satisfies ChoiceField;

export const documentField = {
	kind: 'locator',
	label: 'Document',
	search: 'searchDocuments',
	required: true,
	parse: parseId,
} as const satisfies LocatorField;

/** A document of a knowledge base. */
export const documentFields = { difyDatasetId: datasetField, documentId: documentField } as const;

/** The route of the document in these fields. */
export function documentPath(values: Values<typeof documentFields>): string {
	return apiPath`/datasets/${values.difyDatasetId}/documents/${values.documentId}`;
}

export const documentFileField: NameField = inputFileField('the file');

/** The text of a document, which may be empty. */
export const textField = {
	kind: 'text',
	label: 'Text',
	rows: 4,
	required: true,
	parse: (value: unknown, source: ValueSource): string => toWrittenText(source, value),
} as const satisfies TextField;

export const keywordField = {
	kind: 'name',
	label: 'Search',
	description: 'Part of the name or text to search for. Leave empty for all.',
	parse: parseKeyword,
} as const satisfies NameField;

export const indexingWaitField = {
	kind: 'seconds',
	label: 'Wait for Indexing (Seconds)',
	default: 300,
	description: 'How long to wait until Dify has indexed the document. 0 = do not wait.',
	isOptional: true,
} as const satisfies SecondsField;

/** How long to wait if the option was not added. */
export const INDEXING_WAIT_MS: number = indexingWaitField.default * 1000;

/** The `parse` of a field with an array, or text separated by commas. */
export function parseTextList(value: unknown, source: ValueSource): string[] | undefined {
	if (isUnset(value)) return undefined;
	if (Array.isArray(value)) return value.map(String);
	if (typeof value === 'string') return splitNames(value);
	throw createFieldError(source, 'must be an array or comma-separated text');
}
