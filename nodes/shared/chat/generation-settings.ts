import {
	GENERATION_OPTION_ENTRIES,
	GENERATION_OPTIONS,
	type GenerationOption,
} from '../../../lib/chat/generation-options';
import type { ChatParameters, ResponseFormat, Thinking } from '../../../lib/chat/types';
import { isValidKeepAlive, parseKeepAlive } from '../../../lib/servers/keep-alive';
import { createInputError } from '../../../lib/errors/create-error';
import { assertDepth } from '../../../lib/chat/grammar-schema';
import { validateAgainstSchema } from '../../../lib/chat/validate-json';
import {
	asNonEmptyString,
	asRecord,
	isRecord,
	type JsonRecord,
	omitEmpty,
	omitUndefined,
} from '../../../lib/values';
import {
	asNumber,
	asBoolean,
	asText,
	type Field,
	isUnset,
	type NodeParameters,
	createFieldError,
} from '../parameters';
import { DEFAULT_THINKING_BUDGET } from './generation-fields';

type Effort = Extract<Thinking, { mode: 'effort' }>['effort'];

/** Parsers of option values by type. */
const PARSERS: { [Type in GenerationOption['type']]: (field: Field, value: unknown) => unknown } = {
	number: asNumber,
	switch: asBoolean,
	stringList: (field, value) => {
		const texts = [value].flat(2).filter((text) => !isUnset(text));
		return texts.length === 0 ? undefined : texts.map((text) => unescapeText(asText(field, text)));
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
export function readGeneration(parameters: NodeParameters): ChatParameters {
	const values = GENERATION_OPTION_ENTRIES.flatMap(([name, option]) => {
		const value = parameters.value(`options.${name}`);
		const setting = isUnset(value) ? undefined : PARSERS[option.type](option, value);
		return setting === undefined ? [] : [[name, setting] as const];
	});
	const options: ChatParameters = Object.fromEntries(values);
	// llama-server reads 0 as "at least one token", which is never intended.
	if (options.maxTokens === 0)
		throw createOptionError(
			GENERATION_OPTIONS.maxTokens,
			'must be at least 1, or -1 for no limit, but is 0',
		);
	const extraBody = parameters.object('options.extraBody', {});
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
			const tokens =
				prefix === '' ? parameters.number(path) : parameters.number(path, DEFAULT_THINKING_BUDGET);
			return { mode, tokens };
		}
		default:
			return undefined;
	}
}

/** A field must have a value, an option has a default. */
function readChoice<T extends string>(parameters: NodeParameters, path: string, whenUnset: T): T {
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
	if (grammar.trim() === '') throw createEmptyError(parameters, `${prefix}grammar`);
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
	return { schema, ...omitUndefined({ name }) };
}

function unescapeText(text: string): string {
	return text.replace(
		/\\([nrt\\])/g,
		(_match, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] ?? '\\',
	);
}
