/** Fields of a search in knowledge bases, and what they mean. */
import type { FieldTable, ValueSource, Values } from '../../../lib/fields/field';
import { checkChoice, keepAny } from '../../../lib/fields/check-value';
import type { Filter, Operator } from '../../../lib/dify/knowledge/filters';
import { OPERATORS } from '../../../lib/dify/knowledge/filters';
import type { RetrievalOptions } from '../../../lib/dify/knowledge/retrieval';
import { optionsField } from '../fields/options-field';

/** Labels of the operators. The editor stores `equals`, since n8n evaluates "=" as an empty expression. */
const OPERATOR_LABELS = Object.fromEntries(
	Object.entries(OPERATORS).map(([value, { label }]) => [value === '=' ? 'equals' : value, label]),
);

/** Labels by the values of Dify. */
const DIFY_OPERATORS = Object.fromEntries(
	Object.entries(OPERATORS).map(([value, { label }]) => [value, label]),
) as Record<Operator, string>;

export const searchFields = {
	topK: {
		kind: 'number',
		label: 'Limit',
		default: 5,
		range: [1, 100],
		isInteger: true,
		description: 'Max number of results to return',
	},
	metadataFilters: {
		kind: 'rows',
		label: 'Metadata Filters',
		entry: 'Condition',
		fields: {
			field: {
				kind: 'name',
				label: 'Field',
				description: 'Name of a metadata field of the knowledge base',
				parse: (value: unknown): string => (typeof value === 'string' ? value.trim() : ''),
			},
			operator: {
				kind: 'choice',
				label: 'Operator',
				default: 'is',
				choices: OPERATOR_LABELS,
				description: 'Text comparison is case-sensitive',
				parse: parseOperator,
			},
			value: {
				kind: 'text',
				label: 'Value',
				description:
					'Times as a date or Unix timestamp; for In and Not In, separate values with commas',
				parse: keepAny,
			},
		},
		description: 'Search only documents whose metadata matches',
	},
	options: optionsField({
		filterLogic: {
			kind: 'choice',
			label: 'Combine Filters',
			default: 'and',
			choices: { and: 'All Must Match', or: 'Any Must Match' },
		},
		scoreThreshold: {
			kind: 'number',
			label: 'Score Threshold',
			default: 0.5,
			range: [0, 1],
			decimals: 4,
			description:
				'Results with a lower score are omitted. Applies to vector search and rerankers, not to keyword search. Dify always omits scores below 0, which some rerankers return.',
		},
	}),
} as const satisfies FieldTable;

/** Older workflows store "=", which n8n evaluates as an empty expression. */
const EQUALS_VALUES: readonly unknown[] = ['equals', '=', ''];

function parseOperator(value: unknown, { label }: ValueSource): Operator {
	if (EQUALS_VALUES.includes(value)) return '=';
	return checkChoice({ label, choices: DIFY_OPERATORS }, value);
}

/** What these fields mean. */
export function toRetrievalOptions(values: Values<typeof searchFields>): RetrievalOptions {
	const { topK, options } = values;
	const filter = toFilter(values);
	return {
		topK,
		scoreThreshold: options.scoreThreshold,
		...(filter.conditions.length !== 0 && { filter }),
	};
}

function toFilter({ metadataFilters, options }: Values<typeof searchFields>): Filter {
	return {
		logic: options.filterLogic ?? 'and',
		conditions: metadataFilters.map(({ field, operator, value }) => ({ field, operator, value })),
	};
}
