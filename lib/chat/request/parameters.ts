import { invalidInput } from '../../errors/failure';
import { memoized } from '../../lru-cache';
import { isRecord, type JsonRecord } from '../../values';
import { type KindName, kindOf } from '../../servers/kinds';
import { isKeepAlive } from '../../servers/keep-alive';
import { ANY_NUMBER, isInRange, rangeInWords } from '../../ranges';
import { SAMPLER_ENTRIES, SAMPLERS, type Sampler, type SamplerName } from './samplers';
import type { ChatParameters, ResponseFormat, Thinking } from '../types';

/** Whether a field is sent to this kind of server: not if that is known to ignore it. */
export function takes(kind: KindName, name: SamplerName): boolean {
	const { extra, own }: Sampler = SAMPLERS[name];
	const { extra: extraNames, own: ownNames = [] } = kindOf(kind).chat.fields;
	if (own === true) return ownNames.includes(name);
	return extra === undefined || extraNames === 'all' || extraNames.includes(name);
}

const NO_LIMIT = -1;

/** The request fields of the parameters that are set, without thinking and response format. */
export function parameterFields(parameters: ChatParameters, kind: KindName): JsonRecord {
	const { takesUnlimited, names = {} } = kindOf(kind).chat.fields;
	const body: JsonRecord = {};
	for (const [name, { wire }] of SAMPLER_ENTRIES) {
		const value = parameters[name];
		if (value === undefined || name === 'parallelToolCalls' || !takes(kind, name)) continue;
		if (name === 'maxTokens' && value === NO_LIMIT && !takesUnlimited) continue;
		body[names[name] ?? wire] = value;
	}
	return body;
}

/** Labels of set parameters that this kind of server is known to ignore. */
export function ignoredParameters(parameters: ChatParameters, kind: KindName): string[] {
	const ignored = SAMPLER_ENTRIES.filter(
		([name]) => parameters[name] !== undefined && !takes(kind, name),
	).map(([, { label }]) => label);
	for (const name of ignoredThinking(parameters, kind)) ignored.push(name);
	const isGrammar = parameters.responseFormat?.type === 'grammar';
	if (isGrammar && kindOf(kind).chat.grammar === undefined) ignored.push('GBNF Grammar');
	return ignored;
}

function ignoredThinking({ thinking }: ChatParameters, kind: KindName): string[] {
	if (thinking === undefined) return [];
	const { hasBudget, switch: switchedBy } = kindOf(kind).chat.thinking;
	const ignored: string[] = [];
	// Off is what a model without thinking does anyway; if it thinks, the answer tells it (remarks.ts).
	if (thinking.mode === 'on' && switchedBy === 'none') ignored.push('Thinking');
	if (thinking.mode === 'budget' && !hasBudget) ignored.push('Thinking Token Budget');
	return ignored;
}

export function wantsJson({ responseFormat }: ChatParameters): boolean {
	return responseFormat?.type === 'jsonObject' || responseFormat?.type === 'jsonSchema';
}

/** Whether any set parameter depends on the kind of server, so that it must be identified. */
export const dependsOnServerKind = memoized((parameters: ChatParameters): boolean => {
	if (parameters.maxTokens === NO_LIMIT || setsThinking(parameters)) return true;
	const format = parameters.responseFormat?.type;
	if (format === 'grammar' || format === 'jsonSchema') return true;
	return SAMPLER_ENTRIES.some(
		([name, { extra }]) => extra === true && parameters[name] !== undefined,
	);
});

function setsThinking({ thinking }: ChatParameters): boolean {
	return thinking !== undefined && thinking.mode !== 'serverDefault';
}

/** The request fields for thinking on this kind of server. */
export function thinkingFields({ thinking }: ChatParameters, kind: KindName): JsonRecord {
	if (thinking === undefined) return {};
	const { hasBudget } = kindOf(kind).chat.thinking;
	if (thinking.mode === 'budget')
		return hasBudget === true ? { reasoning_budget_tokens: thinking.tokens } : {};
	return modeFields(thinking, kind);
}

function modeFields(thinking: Thinking, kind: KindName): JsonRecord {
	switch (thinking.mode) {
		case 'effort':
			return { reasoning_effort: thinking.effort };
		case 'on':
		case 'off':
			return switchFields(thinking.mode === 'on', kind);
		default:
			return {};
	}
}

function switchFields(isOn: boolean, kind: KindName): JsonRecord {
	switch (kindOf(kind).chat.thinking.switch) {
		case 'template':
			return { chat_template_kwargs: { enable_thinking: isOn } };
		case 'effort':
			// Ollama's thinking models think by default, and most refuse an effort (seen: 0.17.4).
			return isOn ? {} : { reasoning_effort: 'none' };
		case 'none':
			return {};
	}
}

type SchemaFormat = Extract<ResponseFormat, { type: 'jsonSchema' }>;

/** The schema of any JSON object, for servers that refuse `json_object`. */
export const ANY_OBJECT: SchemaFormat = { type: 'jsonSchema', schema: { type: 'object' } };

/** The request fields for the response format on this kind of server. Schemas are already cleaned. */
export function responseFormatFields(parameters: ChatParameters, kind: KindName): JsonRecord {
	const { responseFormat } = parameters;
	const { schema } = kindOf(kind).chat;
	switch (responseFormat?.type) {
		case 'jsonObject':
			return schema?.replacesJsonObject === true
				? schemaFields(ANY_OBJECT, kind)
				: { response_format: { type: 'json_object' } };
		case 'jsonSchema':
			return schemaFields(responseFormat, kind);
		case 'grammar':
			return kindOf(kind).chat.grammar?.fields(responseFormat.grammar) ?? {};
		default:
			return {};
	}
}

function schemaFields({ name = 'answer', schema }: SchemaFormat, kind: KindName): JsonRecord {
	const response_format = { type: 'json_schema', json_schema: { name, strict: true, schema } };
	return kindOf(kind).chat.schema?.fields?.(schema) ?? { response_format };
}

/**
 * Throws for values that the server would refuse or misinterpret, before anything is sent.
 *
 * @throws {ServerError} of kind `invalidInput` that names the option
 */
export function checkParameters(parameters: ChatParameters): void {
	for (const [name, sampler] of SAMPLER_ENTRIES) {
		const value: unknown = parameters[name];
		if (value !== undefined) checkValue(sampler, value);
	}
	// llama-server reads 0 as "at least one token", which is never intended.
	if (parameters.maxTokens === 0)
		throw invalid(SAMPLERS.maxTokens.label, 'must be at least 1, or -1 for no limit, but is 0');
	if (parameters.extraBody !== undefined && !isRecord(parameters.extraBody))
		throw invalid('Extra Body', 'must be a JSON object');
}

function checkValue(sampler: Sampler, value: unknown): void {
	if (sampler.type === 'duration' && !isKeepAlive(value as string | number))
		throw invalid(
			sampler.label,
			`must be a number of seconds, or a duration such as 30m or 1h30m, but is "${String(value)}"`,
		);
	if (typeof value !== 'number') return;
	const { range = ANY_NUMBER } = sampler.type === 'number' ? sampler : {};
	if (!isInRange(value, range))
		throw invalid(sampler.label, `must be ${rangeInWords(range)}, but is ${value}`);
}

function invalid(label: string, what: string) {
	return invalidInput(`The option "${label}" ${what}`, 'Correct the option in the node.');
}
