/**
 * The settings of a generation, which Local Chat Model and the text operations of Local Llama share. What comes in: values of
 * fields, checked one by one (`lib/fields`): the format with its schema or grammar, the schema alone (`json-schema.ts`), the
 * options of the sampler (`sampling.ts`). What goes out: the settings of a turn (`lib/chat/settings.ts`), without the labels of
 * the node; or the error of a field that another one needs. What it remembers: nothing. The fields that are sent are defined in
 * `lib/chat/body`; timeouts, retries, priority and the extra body are options of every request
 * (`nodes/shared/fields/request-options.ts`).
 *
 * This file has the format of the response.
 */
import { RESPONSE_FORMAT_FIELDS } from '../../../lib/chat/body/response-format-fields';
import type { ResponseFormat } from '../../../lib/chat/settings';
import type { ServerError } from '../../../lib/errors/server-error';
import type { FieldTable, OptionValues } from '../../../lib/fields/field';
import type { Labelled } from '../../../lib/fields/field-errors';
import { createEmptyFieldError } from '../../../lib/fields/field-errors';
import { jsonSchemaField } from './json-schema';

const { responseFormat, grammar } = RESPONSE_FORMAT_FIELDS;

/** Fields for the response format. */
export const responseFormatFields = {
	responseFormat,
	jsonSchema: {
		...jsonSchemaField,
		default:
			'{\n  "type": "object",\n  "properties": {\n    "answer": { "type": "string" }\n  },\n  "required": ["answer"]\n}',
		shownIf: { responseFormat: ['jsonSchema'] },
		description:
			'Parts that the server does not support are removed before sending and listed in the execution log',
	},
	grammar,
} as const satisfies FieldTable;

/** Values of these fields. As options, those that were not added have none. */
type ResponseFormatValues = OptionValues<typeof responseFormatFields>;

/**
 * The response format; undefined for plain text.
 *
 * @param createError - The error of a schema or a grammar that is missing
 */
export function toResponseFormat(
	values: ResponseFormatValues,
	createError: (field: Labelled) => ServerError = createEmptyFieldError,
): ResponseFormat | undefined {
	const { responseFormat: type = 'text' } = values;
	if (type === 'text') return undefined;
	if (type === 'jsonObject') return { type };
	if (type === 'jsonSchema') {
		const { jsonSchema } = values;
		if (jsonSchema === undefined) throw createError(responseFormatFields.jsonSchema);
		return { type, ...jsonSchema };
	}
	const { grammar: text = '' } = values;
	if (text.trim() === '') throw createError(grammar);
	return { type, grammar: text };
}
