/** The fields for the form of a response that are sent. */
import type { FieldTable } from '../../fields/field';

export const RESPONSE_FORMAT_FIELDS = {
	responseFormat: {
		kind: 'choice',
		label: 'Response Format',
		default: 'text',
		choices: {
			grammar: [
				'GBNF Grammar',
				'The response follows a llama.cpp grammar. Cannot be combined with tools.',
			],
			jsonObject: ['JSON Object', 'Any JSON object. Describe the fields in the prompt.'],
			jsonSchema: [
				'JSON Schema',
				'JSON that follows a schema. With tools, a final response that violates it is requested again.',
			],
			text: 'Text',
		},
	},
	grammar: {
		kind: 'text',
		label: 'Grammar',
		rows: 6,
		default: 'root ::= "yes" | "no"',
		shownIf: { responseFormat: ['grammar'] },
		description: 'Grammar in the GBNF notation of llama.cpp. The first rule must be named root.',
	},
} as const satisfies FieldTable;
