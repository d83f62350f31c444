import type { INodeProperties } from 'n8n-workflow';

import {
	OPERATORS,
	type Condition,
	type Filter,
	type Operator,
} from '../../../lib/dify/knowledge/filters';
import { parseModelRef, type ModelRef } from '../../../lib/dify/knowledge/models';
import type { RetrievalOptions } from '../../../lib/dify/knowledge/retrieval';
import { parseUuid } from '../../../lib/dify/ids';
import { isRecord, asRecords } from '../../../lib/values';
import {
	choiceField,
	toOptions,
	numberField,
	fixedCollectionField,
	stringField,
	integerField,
} from '../field-builders';
import { asChoice, type Field, type NodeParameters } from '../parameters';
import { recordLocatorField } from './fields';

export const datasetField = recordLocatorField(
	'Knowledge Base',
	'difyDatasetId',
	'searchKnowledgeBases',
	{ required: true },
);

/** @throws {ServerError} where the field Knowledge Base is empty or holds no ID */
export function readDatasetId(parameters: NodeParameters): string {
	return parseUuid(parameters.value('difyDatasetId'), 'knowledge base ID');
}

const BY_NAME = { displayName: 'By Name', placeholder: 'e.g. langgenius/gpustack/gpustack|bge-m3' };

/** A resource locator for a model of the workspace: provider and name in one value. */
export function modelLocatorField(
	displayName: string,
	name: string,
	search: string,
	more: Partial<INodeProperties> = {},
): INodeProperties {
	return recordLocatorField(displayName, name, search, more, BY_NAME);
}

/** Reads such a field. n8n resolves a locator only outside a collection. */
export function readModel(parameters: NodeParameters, path: string): ModelRef | undefined {
	const value = parameters.value(path);
	const named = isRecord(value) && '__rl' in value ? value.value : value;
	return typeof named === 'string' ? parseModelRef(named) : undefined;
}

/** Field for the indexing technique. */
export function techniqueField(description: string): INodeProperties {
	return choiceField('Technique', 'technique', 'high_quality', {
		options: toOptions({
			economy: ['Economy', 'Keyword search, without a model'],
			high_quality: ['High Quality', 'Vector search with an embedding model'],
		}),
		description,
	});
}

export const scoreThresholdField = numberField('Score Threshold', 'scoreThreshold', 0.5, {
	typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 4 },
	description:
		'Results with a lower score are omitted. Applies to vector search and rerankers, not to keyword search. Dify always omits scores below 0, which some rerankers return.',
});

export const topKField = integerField('Limit', 'topK', 5, [1, 100], {
	description: 'Max number of results to return',
});

export const filterFields: INodeProperties[] = [
	fixedCollectionField('Metadata Filters', 'metadataFilters', 'Condition', {
		values: [
			stringField('Field', 'field', {
				description: 'Name of a metadata field of the knowledge base',
			}),
			choiceField('Operator', 'operator', 'is', {
				options: Object.entries(OPERATORS).map(([value, { label }]) => ({
					name: label,
					value: value === '=' ? 'equals' : value,
				})),
				description: 'Text comparison is case-sensitive',
			}),
			stringField('Value', 'value', {
				description:
					'Times as a date or Unix timestamp; for In and Not In, separate values with commas',
			}),
		],
		description: 'Search only documents whose metadata matches',
	}),
	choiceField('Combine Filters', 'filterLogic', 'and', {
		options: toOptions({
			and: 'All Must Match',
			or: 'Any Must Match',
		}),
	}),
];

/** Reads the fields above. */
export function readRetrievalOptions(parameters: NodeParameters): RetrievalOptions {
	const filter = filterIn(parameters);
	return {
		topK: parameters.number('topK'),
		scoreThreshold: parameters.number('options.scoreThreshold', undefined),
		...(filter.conditions.length === 0 ? {} : { filter }),
	};
}

/** Stored as "=" in older workflows, which n8n takes for an empty expression. */
const EQUALS: readonly unknown[] = ['equals', '=', ''];

function operatorIn(field: Field, value: unknown): Operator {
	return EQUALS.includes(value)
		? '='
		: asChoice<Operator>({ ...field, choices: Object.keys(OPERATORS) }, value);
}

function filterIn(parameters: NodeParameters): Filter {
	const field = parameters.field('metadataFilters.condition.operator');
	const conditions = asRecords(parameters.value('metadataFilters.condition')).map(
		(condition): Condition => ({
			field: typeof condition.field === 'string' ? condition.field.trim() : '',
			operator: operatorIn(field, condition.operator),
			value: condition.value,
		}),
	);
	return { logic: parameters.choice<'and' | 'or'>('filterLogic', 'and'), conditions };
}
