/** Fields for the response format, and their values. */
import { choiceField, jsonField, longTextField, shownIf } from '../field-builders';
import type { INodeProperties } from 'n8n-workflow';
import type { ResponseFormat } from '../../../lib/chat/settings';
import type { NodeParameters } from '../parameters';
import type { Prefix } from './optional-fields';
import { readChoice, createEmptyError } from './optional-fields';
import { readSchema } from './json-schema';

/** Fields for the response format. */
export const responseFormatFields: INodeProperties[] = [
	choiceField('Response Format', 'responseFormat', 'text', {
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
	}),
	jsonField(
		'JSON Schema',
		'jsonSchema',
		'{\n  "type": "object",\n  "properties": {\n    "answer": { "type": "string" }\n  },\n  "required": ["answer"]\n}',
		{
			typeOptions: { rows: 8 },
			...shownIf('responseFormat', 'jsonSchema'),
			description:
				'Parts that the server does not support are removed before sending and listed in the execution log',
		},
	),
	longTextField('Grammar', 'grammar', 6, {
		default: 'root ::= "yes" | "no"',
		...shownIf('responseFormat', 'grammar'),
		description: 'Grammar in the GBNF notation of llama.cpp. The first rule must be named root.',
	}),
];

/** Reads the response format; undefined for plain text. */
export function readResponseFormat(
	parameters: NodeParameters,
	prefix: Prefix = '',
): ResponseFormat | undefined {
	const path = `${prefix}responseFormat`;
	const type = readChoice<ResponseFormat['type']>(parameters, path, 'text');
	if (type === 'jsonObject') return { type };
	if (type === 'jsonSchema') return { type, ...readSchema(parameters, `${prefix}jsonSchema`) };
	if (type === 'text') return undefined;
	const grammar = parameters.rawString(`${prefix}grammar`);
	if (!grammar.trim()) throw createEmptyError(parameters, `${prefix}grammar`);
	return { type, grammar };
}
