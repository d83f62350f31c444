/** The adaptations of single rejections: what each changes before the request is sent again. */
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import { isRecord, asRecord } from '../values/records';
import { omitFields, withoutFields } from './body-changes';
import type { Adaptation } from './find-change';

/** For rejections that do not name the field; vLLM, if Extra Body turns streaming off. */
export const omitStreamOptions: Adaptation = (rejection, body) =>
	'stream_options' in body && rejection.matches(/stream[_ ]options/gi).length > 0
		? omitFields(['stream_options'])
		: undefined;

/** LM Studio does not support `json_object` (lmstudio-bug-tracker issue 189). */
export const replaceJsonObject: Adaptation = (rejection, body) => {
	const pattern = /response_format\.type\W{1,3}must be \W?json_schema\b/gi;
	const isJsonObject = asRecord(body.response_format).type === 'json_object';
	if (!isJsonObject || rejection.matches(pattern).length === 0) return undefined;
	return { name: 'json_object as json_schema', apply: withOtherFormat };
};

/**
 * Only for requests whose prompt contains the schema. A grammar that the server cannot build is rejected before anything is
 * generated, also with 5xx.
 */
export const omitFormat: Adaptation = ({ status = 0, getMessage }, body) =>
	[400, 422, 500, 501].includes(status) &&
	/schema|grammar|structured|format/i.test(getMessage()) &&
	FORMAT_FIELDS.some((name) => Object.hasOwn(body, name))
		? omitFields(FORMAT_FIELDS)
		: undefined;

const FORMAT_FIELDS = ['response_format', 'format'];

/** For output that ran away: the JSON format in its other form, with the schema or without it. */
export function toOtherFormat(body: JsonRecord): BodyChange | undefined {
	if (withOtherFormat(body) === body) return undefined;
	return { name: 'JSON format in its other form', apply: withOtherFormat, isTemporary: true };
}

function withOtherFormat(body: JsonRecord) {
	const { format } = body;
	if (format === 'json') return { ...body, format: { type: 'object' } };
	if (isRecord(format)) return { ...body, format: 'json' };
	const { type } = asRecord(body.response_format);
	const schema = { name: 'answer', schema: { type: 'object' } };
	if (type === 'json_object')
		return { ...body, response_format: { type: 'json_schema', json_schema: schema } };
	return type === 'json_schema' ? { ...body, response_format: { type: 'json_object' } } : body;
}

/** Ollama: only gpt-oss supports thinking levels, and some models do not support thinking (seen: 0.17.4). */
const OLLAMA_THINKING_CHANGES = [
	{
		pattern: /does not support thinking/gi,
		name: 'without thinking',
		warning:
			'This model does not support thinking, so the setting Thinking was omitted. Choose a model that does ("ollama show NAME" lists "thinking" under its capabilities), or set Thinking to Server Default.',
	},
	{
		pattern: /think value .{0,200} is not supported for this model/gi,
		name: 'thinking without a level',
		warning:
			'This Ollama model supports thinking only as on or off, so the thinking effort was omitted.',
	},
	{
		pattern: /invalid (?:reasoning value: 'minimal'|think value: "minimal")/gi,
		name: 'low thinking',
		level: 'low',
		warning:
			'This Ollama version does not support the thinking effort "minimal", so "low" was used.',
	},
];

/** Omits the thinking, or asks for another level, if Ollama's model has none or not this one. */
export const adjustOllamaThinking: Adaptation = (rejection, body) => {
	const field = ['think', 'reasoning_effort'].find((name) => Object.hasOwn(body, name));
	const change = OLLAMA_THINKING_CHANGES.find(
		({ pattern }) => rejection.matches(pattern).length > 0,
	);
	if (field === undefined || !change) return undefined;
	const { name, level, warning } = change;
	const apply = (requestBody: JsonRecord) => {
		if (level === undefined) return withoutFields(requestBody, [field]);
		return Object.hasOwn(requestBody, field) ? { ...requestBody, [field]: level } : requestBody;
	};
	return { name, apply, warning };
};
