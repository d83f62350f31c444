import { SAMPLER_ENTRIES, type Sampler, type SamplerValues } from '../../../lib/chat/samplers';
import type { ChatParameters, ResponseFormat, Thinking } from '../../../lib/chat/types';
import { parseKeepAlive } from '../../../lib/servers/keep-alive';
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

type Effort = Extract<Thinking, { mode: 'effort' }>['effort'];

/** Parsers of option values by type. */
const PARSERS: { [Type in Sampler['type']]: (field: Field, value: unknown) => unknown } = {
	number: asNumber,
	switch: asBoolean,
	texts: (field, value) => {
		const texts = [value].flat(2).filter((text) => !isUnset(text));
		return texts.length === 0 ? undefined : texts.map((text) => unescape(asText(field, text)));
	},
	duration: (field, value) => parseKeepAlive(asText(field, value)),
};

/**
 * Reads the options of a generation, which may have any type if set by expressions. Options that the operation does not
 * offer count as not added.
 *
 * @throws {ServerError} of type `invalidInput` naming the field, as all of these functions do
 */
export function readGeneration(
	parameters: NodeParameters,
): Omit<ChatParameters, 'thinking' | 'responseFormat'> {
	const path = 'options.extraBody';
	const extraBody = parseNonEmptyObject(parameters.field(path), parameters.value(path) ?? {});
	return { ...readSamplers(parameters), ...omitUndefined({ extraBody }) };
}

function readSamplers(parameters: NodeParameters): SamplerValues {
	const values = SAMPLER_ENTRIES.flatMap(([name, sampler]) => {
		const value = parameters.value(`options.${name}`);
		const setting = isUnset(value) ? undefined : PARSERS[sampler.type](sampler, value);
		return setting === undefined ? [] : [[name, setting] as const];
	});
	return Object.fromEntries(values) as SamplerValues;
}

function parseNonEmptyObject(field: Field, value: unknown): Record<string, unknown> | undefined {
	const object = asObject(field, value);
	return Object.keys(object).length === 0 ? undefined : object;
}

/** Reads the thinking fields; undefined if nothing is sent. */
export function readThinking(parameters: NodeParameters): Thinking | undefined {
	const mode = parameters.choice<Thinking['mode']>('thinking');
	if (mode === 'off') return { mode };
	if (mode === 'effort') return { mode, effort: parameters.choice<Effort>('thinkingEffort') };
	if (mode === 'budget') return { mode, tokens: parameters.number('thinkingBudget') };
	return mode === 'on' ? { mode } : undefined;
}

/** Reads the response format; undefined for plain text. */
export function readResponseFormat(parameters: NodeParameters): ResponseFormat | undefined {
	switch (parameters.choice<ResponseFormat['type']>('responseFormat')) {
		case 'jsonObject':
			return { type: 'jsonObject' };
		case 'jsonSchema': {
			const { schema, name } = unwrapSchema(parameters.object('jsonSchema'));
			if (Object.keys(schema).length === 0)
				throw createFieldError(parameters.field('jsonSchema').label, 'is empty');
			return { type: 'jsonSchema', schema, ...omitUndefined({ name }) };
		}
		case 'grammar': {
			const grammar = parameters.rawString('grammar');
			if (grammar.trim() === '')
				throw createFieldError(parameters.field('grammar').label, 'is empty');
			return { type: 'grammar', grammar };
		}
		default:
			return undefined;
	}
}

/**
 * Unwraps a JSON schema, which users often paste in OpenAI's format (`response_format`, or its `json_schema`).
 *
 * @throws {ServerError} of type `invalidInput` for an invalid schema, before anything is generated
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

function unescape(text: string): string {
	return text.replace(
		/\\([nrt\\])/g,
		(_match, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] ?? '\\',
	);
}
