/** Fields of a search in knowledge bases. */
import type { INodeProperties } from 'n8n-workflow';
import type { Condition, Filter, Operator } from '../../../lib/dify/knowledge/filters';
import { OPERATORS } from '../../../lib/dify/knowledge/filters';
import type { RetrievalOptions } from '../../../lib/dify/knowledge/retrieval';
import { asRecords } from '../../../lib/values/records';
import {
	choiceField,
	numberField,
	fixedCollectionField,
	optionsCollection,
	stringField,
	integerField,
} from '../field-builders';
import type { Field, NodeParameters } from '../parameters';
import { asChoice } from '../parameters';

export const topKField: INodeProperties = integerField(
	'Limit',
	'topK',
	5,
	[1, 100],
	'Max number of results to return',
);

export const filtersField: INodeProperties = fixedCollectionField(
	'Metadata Filters',
	'metadataFilters',
	'Condition',
	[
		stringField('Field', 'field', 'Name of a metadata field of the knowledge base'),
		choiceField(
			'Operator',
			'operator',
			'is',
			Object.entries(OPERATORS).map(([value, { label }]) => ({
				name: label,
				value: value === '=' ? 'equals' : value,
			})),
			'Text comparison is case-sensitive',
		),
		stringField(
			'Value',
			'value',
			'Times as a date or Unix timestamp; for In and Not In, separate values with commas',
		),
	],
	'Search only documents whose metadata matches',
);

export const retrievalOptions: INodeProperties = optionsCollection([
	choiceField('Combine Filters', 'filterLogic', 'and', {
		and: 'All Must Match',
		or: 'Any Must Match',
	}),
	numberField('Score Threshold', 'scoreThreshold', 0.5, {
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 4 },
		description:
			'Results with a lower score are omitted. Applies to vector search and rerankers, not to keyword search. Dify always omits scores below 0, which some rerankers return.',
	}),
]);

/** Reads these fields. */
export function readRetrievalOptions(parameters: NodeParameters): RetrievalOptions {
	const filter = readFilter(parameters);
	return {
		topK: parameters.number('topK'),
		scoreThreshold: parameters.number('options.scoreThreshold', undefined),
		...(filter.conditions.length !== 0 && { filter }),
	};
}

/** Older workflows store "=", which n8n evaluates as an empty expression. */
const EQUALS_VALUES: readonly unknown[] = ['equals', '=', ''];

function toOperator(field: Field, value: unknown): Operator {
	return EQUALS_VALUES.includes(value)
		? '='
		: asChoice<Operator>({ ...field, choices: Object.keys(OPERATORS) }, value);
}

function readFilter(parameters: NodeParameters): Filter {
	const field = parameters.field('metadataFilters.condition.operator');
	return {
		logic: parameters.choice('options.filterLogic', 'and'),
		conditions: asRecords(parameters.value('metadataFilters.condition')).map(
			(condition): Condition => ({
				field: typeof condition.field === 'string' ? condition.field.trim() : '',
				operator: toOperator(field, condition.operator),
				value: condition.value,
			}),
		),
	};
}
