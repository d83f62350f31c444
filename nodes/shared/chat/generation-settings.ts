import {
	GENERATION_OPTION_ENTRIES,
	type GenerationOption,
	type GenerationOptionValues,
} from '../../../lib/chat/generation-options';
import type { ChatParameters, ResponseFormat, Thinking } from '../../../lib/chat/types';
import { parseKeepAlive } from '../../../lib/servers/keep-alive';
import type { ServerError } from '../../../lib/errors/server-error';
import { assertDepth } from '../../../lib/chat/grammar-schema';
import { validateAgainstSchema } from '../../../lib/chat/validate-json';
import { isRecord, asNonEmptyString, omitUndefined } from '../../../lib/values';
import {
	asNumber,
	asObject,
	asBoolean,
	asText,
	type Field,
	isUnset,
	type NodeParameters,
	createFieldError,
} from '../parameters';
import { DEFAULT_THINKING_BUDGET } from './answer-fields';

type Effort = Extract<Thinking, { mode: 'effort' }>['effort'];

/** Parsers of option values by type. */
const PARSERS: { [Type in GenerationOption['type']]: (field: Field, value: unknown) => unknown } = {
	number: asNumber,
	switch: asBoolean,
	stringList: (field, value) => {
		const texts = [value].flat(2).filter((text) => !isUnset(text));
		return texts.length === 0 ? undefined : texts.map((text) => unescapeText(asText(field, text)));
	},
	duration: (field, value) => parseKeepAlive(asText(field, value)),
};

/**
 * Reads the options of a generation, which expressions may return with any type. Options that the operation does
 * not offer count as not added.
 *
 * @throws {ServerError} of type `invalidInput` naming the field, as all of these functions do
 */
export function readGeneration(
	parameters: NodeParameters,
): Omit<ChatParameters, 'thinking' | 'responseFormat'> {
	const path = 'options.extraBody';
	const extraBody = readFilledObject(parameters.field(path), parameters.value(path) ?? {});
	return { ...readGenerationOptions(parameters), ...omitUndefined({ extraBody }) };
}

function readGenerationOptions(parameters: NodeParameters): GenerationOptionValues {
	const values = GENERATION_OPTION_ENTRIES.flatMap(([name, option]) => {
		const value = parameters.value(`options.${name}`);
		const setting = isUnset(value) ? undefined : PARSERS[option.type](option, value);
		return setting === undefined ? [] : [[name, setting] as const];
	});
	return Object.fromEntries(values) as GenerationOptionValues;
}

function readFilledObject(field: Field, value: unknown): Record<string, unknown> | undefined {
	const object = asObject(field, value);
	return Object.keys(object).length === 0 ? undefined : object;
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
	const mode = readChoice(parameters, prefix, 'thinking', whenUnset);
	if (mode === 'off') return { mode };
	if (mode === 'effort')
		return { mode, effort: readChoice<Effort>(parameters, prefix, 'thinkingEffort', 'medium') };
	if (mode === 'budget') {
		const whenMissing: [] | [number] = prefix === '' ? [] : [DEFAULT_THINKING_BUDGET];
		return { mode, tokens: parameters.number(`${prefix}thinkingBudget`, ...whenMissing) };
	}
	return mode === 'on' ? { mode } : undefined;
}

function readChoice<T extends string>(
	parameters: NodeParameters,
	prefix: Prefix,
	name: string,
	whenUnset: T,
): T {
	const path = `${prefix}${name}`;
	return prefix === '' ? parameters.choice<T>(path) : parameters.choice<T>(path, whenUnset);
}

/** Reads the response format; undefined for plain text. */
export function readResponseFormat(
	parameters: NodeParameters,
	prefix: Prefix = '',
): ResponseFormat | undefined {
	const type = readChoice<ResponseFormat['type']>(parameters, prefix, 'responseFormat', 'text');
	switch (type) {
		case 'jsonObject':
			return { type: 'jsonObject' };
		case 'jsonSchema': {
			const { schema, name } = readSchema(parameters, `${prefix}jsonSchema`);
			return { type: 'jsonSchema', schema, ...omitUndefined({ name }) };
		}
		case 'grammar': {
			const path = `${prefix}grammar`;
			const grammar = parameters.rawString(path);
			if (grammar.trim() === '') throw createEmptyError(parameters, path);
			return { type: 'grammar', grammar };
		}
		default:
			return undefined;
	}
}

/** Reads the schema of a field. */
export function readSchema(
	parameters: NodeParameters,
	path: string,
): ReturnType<typeof unwrapSchema> {
	const unwrapped = unwrapSchema(parameters.object(path, {}));
	if (Object.keys(unwrapped.schema).length > 0) return unwrapped;
	throw createEmptyError(parameters, path);
}

function createEmptyError(parameters: NodeParameters, path: string): ServerError {
	const { label } = parameters.field(path);
	const suggestion = path.startsWith('options.')
		? `Add the option ${label} and fill it in.`
		: undefined;
	return createFieldError(label, 'is empty', suggestion);
}

/**
 * Unwraps a JSON schema, which users often paste in OpenAI's format (`response_format`, or its `json_schema`).
 *
 * @throws {ServerError} of type `invalidInput` if it cannot be used, before anything is generated
 */
export function unwrapSchema(source: Record<string, unknown>): {
	schema: Record<string, unknown>;
	name?: string;
} {
	assertDepth(source, 'The JSON schema');
	const wrapped = isRecord(source.json_schema) ? source.json_schema : source;
	const isWrapped = isRecord(wrapped.schema) && !('type' in wrapped) && !('properties' in wrapped);
	const schema = isWrapped ? (wrapped.schema as Record<string, unknown>) : source;
	validateAgainstSchema(schema, null);
	return { schema, ...(isWrapped ? omitUndefined({ name: asNonEmptyString(wrapped.name) }) : {}) };
}

function unescapeText(text: string): string {
	return text.replace(
		/\\([nrt\\])/g,
		(_match, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] ?? '\\',
	);
}
