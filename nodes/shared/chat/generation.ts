import { choiceField, jsonField, longTextField, integerField, shownIf } from '../field-builders';
import type { INodeProperties } from 'n8n-workflow';
import type { GenerationOption } from '../../../lib/chat/body/generation-options';
import {
	GENERATION_OPTION_LIST,
	GENERATION_OPTIONS,
} from '../../../lib/chat/body/generation-options';
import type { JsonRecord } from '../../../lib/values/records';
import {
	omitUndefined,
	asNonEmptyString,
	asRecord,
	isRecord,
	omitEmpty,
	isUnset,
} from '../../../lib/values/records';
import {
	GENERATION_RETRIES,
	secondsField,
	priorityField,
	isValidKeepAlive,
	parseKeepAlive,
} from '../timeout-fields';
import type { SamplingSettings, ResponseFormat, Thinking } from '../../../lib/chat/settings';
import { createInputError } from '../../../lib/errors/create-error';
import { CONTROLS } from '../../../lib/text/literals';
import { assertDepth } from '../../../lib/chat/body/grammar-schema';
import { validateAgainstSchema } from '../../../lib/chat/check/validate-against-schema';
import type { Field, NodeParameters } from '../parameters';
import { asNumber, asBoolean, asText, createFieldError } from '../parameters';

/** Request options of every generation: extra request fields, timeouts and retries. */
export const requestFields: INodeProperties[] = [
	jsonField(
		'Extra Body',
		'extraBody',
		'{}',
		'JSON object that is merged into the request, for fields that this node does not offer',
	),
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		1800,
		'How long to wait for the first token, including queueing, loading the model and processing the prompt. 0 = no limit.',
	),
	secondsField(
		'Idle Timeout (Seconds)',
		'idleTimeout',
		300,
		'How long the response may pause after it has started. 0 = no limit.',
	),
	integerField(
		'Retries',
		'maxRetries',
		GENERATION_RETRIES,
		[0, 20],
		'How often to retry after a refused connection or when the server is busy. A generation that may have started is never sent again. The node waits for a model that is loading until the First Token Timeout.',
	),
	priorityField,
	secondsField(
		'Total Timeout (Seconds)',
		'totalTimeout',
		0,
		'How long the complete response may take. 0 = no limit.',
	),
];

/** Editor fields of all generation options. */
export const generationOptionFields: INodeProperties[] = GENERATION_OPTION_LIST.map((option) => ({
	displayName: option.label,
	name: option.name,
	description: option.description,
	...toInput(option),
}));

function toInput(
	option: GenerationOption,
): Pick<INodeProperties, 'type' | 'default'> & Partial<INodeProperties> {
	switch (option.type) {
		case 'switch':
			return { type: 'boolean', default: true };
		case 'duration':
			return { type: 'string', default: option.defaultValue, placeholder: option.placeholder };
		case 'stringList':
			return {
				type: 'string',
				typeOptions: { multipleValues: true, multipleValueButtonText: option.addButton },
				default: [],
			};
		case 'number': {
			const { choices, range: [minValue, maxValue] = [], isInteger, defaultValue } = option;
			if (choices) return { type: 'options', options: [...choices], default: defaultValue };
			// Probabilities need one more decimal.
			const decimals = maxValue === 1 ? 3 : 2;
			const numberPrecision = isInteger ? 0 : decimals;
			return {
				type: 'number',
				typeOptions: { ...omitUndefined({ minValue, maxValue }), numberPrecision },
				default: defaultValue,
			};
		}
	}
}

export const DEFAULT_THINKING_BUDGET = 1024;

/** Fields for thinking. */
export const thinkingFields: INodeProperties[] = [
	choiceField(
		'Thinking',
		'thinking',
		'serverDefault',
		{
			effort: ['Effort', 'How much to think, for models that support effort levels (gpt-oss)'],
			off: ['Off', 'Respond immediately. gpt-oss always thinks: use a low effort for it.'],
			on: 'On',
			serverDefault: ['Server Default', "Use the server's setting"],
			budget: ['Token Budget', 'Stop thinking after this many tokens'],
		},
		'Whether a thinking model (Qwen3, gpt-oss, DeepSeek-R1, …) thinks before it responds. The thinking is returned separately.',
	),
	choiceField(
		'Thinking Effort',
		'thinkingEffort',
		'medium',
		{
			high: 'High',
			low: 'Low',
			medium: 'Medium',
			minimal: 'Minimal',
		},
		shownIf('thinking', 'effort'),
	),
	integerField('Thinking Token Budget', 'thinkingBudget', DEFAULT_THINKING_BUDGET, [0], {
		...shownIf('thinking', 'budget'),
		description:
			'Maximum tokens for thinking; 0 ends it immediately. Llama-server only, and only if the chat template of the model has an end tag.',
	}),
];

/**
 * The fields as options, which apply only if they are added.
 *
 * @param unsetText what applies if they are not
 */
export function toOptionFields(
	fields: readonly INodeProperties[],
	defaultValue: string,
	unsetText: string,
): INodeProperties[] {
	const [first, ...dependent] = fields;
	const description = [first!.description, unsetText].filter(Boolean).join(' ');
	return [{ ...first!, default: defaultValue, description }, ...dependent];
}

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

type Effort = Extract<Thinking, { mode: 'effort' }>['effort'];

/**
 * Reads the value of an option, which an expression may return with any type.
 *
 * @throws {ServerError} of type `invalidInput` naming the field
 */
type OptionParser = (field: Field, value: unknown) => unknown;

const PARSERS: Readonly<Record<GenerationOption['type'], OptionParser>> = {
	number: asNumber,
	switch: asBoolean,
	stringList: (field, value) => {
		const texts = [value].flat(2).filter((text) => !isUnset(text));
		if (texts.length === 0) return undefined;
		return texts.map((text) =>
			asText(field, text).replace(
				/\\([nrt\\])/g,
				(_escape, letter: string) => CONTROLS[letter] ?? letter,
			),
		);
	},
	duration: (field, value) => {
		const duration = parseKeepAlive(asText(field, value));
		if (duration !== undefined && !isValidKeepAlive(duration))
			throw createOptionError(
				field,
				`must be a number of seconds, or a duration such as 30m or 1h30m, but is "${duration}"`,
			);
		return duration;
	},
};

function createOptionError({ label }: Field, requirement: string) {
	return createInputError(
		`The option "${label}" ${requirement}`,
		'Correct the option in the node.',
	);
}

/**
 * Reads the options of a generation, which expressions may return with any type. Options that the operation does
 * not offer count as not added.
 *
 * @throws {ServerError} of type `invalidInput` naming the field, as all of these functions do
 */
export function readGeneration(parameters: NodeParameters): SamplingSettings {
	const values = GENERATION_OPTION_LIST.flatMap((option) => {
		const { name } = option;
		const value = parameters.value(`options.${name}`);
		const setting = isUnset(value) ? undefined : PARSERS[option.type](option, value);
		return setting === undefined ? [] : [[name, setting] as const];
	});
	const options: SamplingSettings = Object.fromEntries(values);
	// llama-server reads 0 as "at least one token", which is never intended.
	if (options.maxTokens === 0)
		throw createOptionError(
			GENERATION_OPTIONS.maxTokens,
			'must be at least 1, or -1 for no limit, but is 0',
		);
	const extraBody = parameters.objectToSend('options.extraBody', {});
	return { ...options, ...omitEmpty({ extraBody }) };
}

/** Path of fields: `options.` if they are options, which may not have been added. */
type Prefix = '' | 'options.';

/**
 * Reads the thinking fields; undefined if nothing is sent.
 *
 * @param whenUnset applies if the option was not added
 */
export function readThinking(
	parameters: NodeParameters,
	prefix: Prefix = '',
	whenUnset: Thinking['mode'] = 'serverDefault',
): Thinking | undefined {
	const mode = readChoice(parameters, `${prefix}thinking`, whenUnset);
	switch (mode) {
		case 'on':
		case 'off':
			return { mode };
		case 'effort':
			return { mode, effort: readChoice<Effort>(parameters, `${prefix}thinkingEffort`, 'medium') };
		case 'budget': {
			const path = `${prefix}thinkingBudget`;
			const tokens = prefix
				? parameters.number(path, DEFAULT_THINKING_BUDGET)
				: parameters.number(path);
			return { mode, tokens };
		}
		default:
			return undefined;
	}
}

/** A field must have a value, an option has a default. */
function readChoice<T extends string>(parameters: NodeParameters, path: string, whenUnset: T) {
	return path.startsWith('options.')
		? parameters.choice<T>(path, whenUnset)
		: parameters.choice<T>(path);
}

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

/** Reads the schema of a field. */
export function readSchema(parameters: NodeParameters, path: string): NamedSchema {
	const unwrapped = unwrapSchema(parameters.object(path, {}));
	if (Object.keys(unwrapped.schema).length > 0) return unwrapped;
	throw createEmptyError(parameters, path);
}

function createEmptyError(parameters: NodeParameters, path: string) {
	const { label } = parameters.field(path);
	const suggestion = path.startsWith('options.')
		? `Add the option ${label} and fill it in.`
		: undefined;
	return createFieldError(label, 'is empty', suggestion);
}

interface NamedSchema {
	schema: JsonRecord;
	name?: string;
}

/**
 * Unwraps a JSON schema, which users often paste in OpenAI's format (`response_format`, or its `json_schema`).
 *
 * @throws {ServerError} of type `invalidInput` if it cannot be used, before anything is generated
 */
export function unwrapSchema(source: JsonRecord): NamedSchema {
	assertDepth(source, 'The JSON schema');
	const wrapped = isRecord(source.json_schema) ? source.json_schema : source;
	const isWrapped = isRecord(wrapped.schema) && !('type' in wrapped) && !('properties' in wrapped);
	const schema = isWrapped ? asRecord(wrapped.schema) : source;
	validateAgainstSchema(schema, null);
	const name = isWrapped ? asNonEmptyString(wrapped.name) : undefined;
	return { schema, name };
}
