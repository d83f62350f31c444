import type { ChatSettings } from '../../lib/chat/request';
import type { ReasoningEcho } from '../../lib/chat/messages';
import type { ChatParameters, ResponseFormat, Thinking } from '../../lib/chat/types';
import type { ServerKind } from '../../lib/servers/kinds/kind';
import { failure } from '../../lib/errors/failure';
import { isRecord } from '../../lib/values';
import { switchOf } from '../../lib/switch';

/** The node's parameters, as n8n gives them. */
export interface NodeParameters {
	model: unknown;
	serverType: unknown;
	thinking: unknown;
	thinkingEffort: unknown;
	thinkingBudget: unknown;
	responseFormat: unknown;
	jsonSchema: unknown;
	grammar: unknown;
	options: Record<string, unknown>;
}

const SERVER_TYPES = ['auto', 'llamaServer', 'ollama', 'vllm', 'other'] as const satisfies ReadonlyArray<
	ServerKind | 'auto'
>;
const REASONING_ECHOES = ['off', 'toolTurns', 'always'] as const satisfies readonly ReasoningEcho[];
const TOOL_CHOICES = ['auto', 'none', 'required'] as const;
const THINKING_MODES = ['serverDefault', 'on', 'off', 'effort', 'budget'] as const satisfies ReadonlyArray<
	Thinking['mode']
>;
const EFFORTS = ['minimal', 'low', 'medium', 'high'] as const;
const RESPONSE_FORMATS = ['text', 'jsonObject', 'jsonSchema', 'grammar'] as const satisfies ReadonlyArray<
	ResponseFormat['type']
>;

/** Options that go to the server as they are, by their type. */
const NUMBERS = [
	'temperature',
	'topP',
	'topK',
	'minP',
	'typicalP',
	'repeatPenalty',
	'repeatLastN',
	'presencePenalty',
	'frequencyPenalty',
	'dryMultiplier',
	'dryBase',
	'dryAllowedLength',
	'dryPenaltyLastN',
	'xtcProbability',
	'xtcThreshold',
	'mirostat',
	'mirostatTau',
	'mirostatEta',
	'seed',
	'maxTokens',
	'slotId',
] as const satisfies ReadonlyArray<keyof ChatParameters>;
/** Whole numbers: an expression easily gives a fraction, which llama-server cuts off and Ollama and vLLM refuse. */
const WHOLE: ReadonlySet<string> = new Set([
	'topK',
	'repeatLastN',
	'dryAllowedLength',
	'dryPenaltyLastN',
	'mirostat',
	'seed',
	'maxTokens',
	'slotId',
] satisfies Array<(typeof NUMBERS)[number]>);
const SWITCHES = ['parallelToolCalls', 'cachePrompt'] as const satisfies ReadonlyArray<keyof ChatParameters>;
const TEXTS = ['drySequenceBreakers', 'stop'] as const satisfies ReadonlyArray<keyof ChatParameters>;
const OBJECTS = ['chatTemplateArguments', 'extraBody'] as const satisfies ReadonlyArray<keyof ChatParameters>;

/**
 * Reads the node's parameters, which may come out of expressions with any type.
 *
 * @throws {ServerError} of kind `invalidInput` naming the field
 */
export function readSettings(parameters: NodeParameters): ChatSettings {
	const { options } = parameters;
	return {
		model: modelName(parameters.model),
		serverKind: oneOf('serverType', parameters.serverType, SERVER_TYPES),
		parameters: {
			...readOptions(options),
			...optional('thinking', thinkingOf(parameters)),
			...optional('responseFormat', responseFormatOf(parameters)),
		},
		reasoningEcho: isSet(options.reasoningEcho)
			? oneOf('reasoningEcho', options.reasoningEcho, REASONING_ECHOES)
			: 'toolTurns',
		showThinking: isSet(options.showThinking) && toBoolean('showThinking', options.showThinking),
		...optional(
			'toolChoice',
			isSet(options.toolChoice) ? oneOf('toolChoice', options.toolChoice, TOOL_CHOICES) : undefined,
		),
		limits: {
			...optional('firstTokenMs', milliseconds('firstTokenLimit', options)),
			...optional('idleMs', milliseconds('idleLimit', options)),
			...optional('totalMs', milliseconds('totalLimit', options)),
		},
		retries: isSet(options.maxRetries) ? toNumber('maxRetries', options.maxRetries) : 2,
	};
}

function readOptions(options: Record<string, unknown>): ChatParameters {
	const parameters: ChatParameters = {};
	for (const name of NUMBERS) {
		if (!isSet(options[name])) continue;
		const number = toNumber(name, options[name]);
		parameters[name] = WHOLE.has(name) ? Math.trunc(number) : number;
	}
	for (const name of SWITCHES) if (isSet(options[name])) parameters[name] = toBoolean(name, options[name]);
	for (const name of TEXTS) {
		const texts = [options[name]].flat(2).filter(isSet);
		if (texts.length > 0) parameters[name] = texts.map((text) => unescaped(toText(name, text)));
	}
	for (const name of OBJECTS) {
		const value = isSet(options[name]) ? toObject(name, options[name]) : {};
		if (Object.keys(value).length > 0) parameters[name] = value;
	}
	return parameters;
}

function thinkingOf({ thinking, thinkingEffort, thinkingBudget }: NodeParameters): Thinking | undefined {
	const mode = oneOf('thinking', thinking, THINKING_MODES);
	switch (mode) {
		case 'on':
		case 'off':
			return { mode };
		case 'effort':
			return { mode, effort: oneOf('thinkingEffort', thinkingEffort, EFFORTS) };
		case 'budget':
			return { mode, tokens: Math.trunc(toNumber('thinkingBudget', thinkingBudget)) };
		default:
			return undefined;
	}
}

function responseFormatOf({ responseFormat, jsonSchema, grammar }: NodeParameters): ResponseFormat | undefined {
	switch (oneOf('responseFormat', responseFormat, RESPONSE_FORMATS)) {
		case 'jsonObject':
			return { type: 'jsonObject' };
		case 'jsonSchema': {
			const { schema, name } = bareSchema(toObject('jsonSchema', jsonSchema));
			if (Object.keys(schema).length === 0) throw invalid('jsonSchema', 'is empty');
			return { type: 'jsonSchema', schema, ...optional('name', name) };
		}
		case 'grammar':
			if (typeof grammar !== 'string' || grammar.trim() === '') throw invalid('grammar', 'is empty');
			return { type: 'grammar', grammar };
		default:
			return undefined;
	}
}

/** People paste the schema in OpenAI's wrapping: the value of `response_format`, or of `json_schema` in it. */
function bareSchema(given: Record<string, unknown>): { schema: Record<string, unknown>; name?: string } {
	const wrapped = isRecord(given.json_schema) ? given.json_schema : given;
	if (!isRecord(wrapped.schema) || 'type' in wrapped || 'properties' in wrapped) return { schema: given };
	return {
		schema: wrapped.schema,
		...optional('name', typeof wrapped.name === 'string' && wrapped.name !== '' ? wrapped.name : undefined),
	};
}

function isSet(value: unknown): boolean {
	return value !== undefined && value !== null && value !== '';
}

/** An expression may give anything; a value that nobody knows would silently mean the default. */
function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
	const known = allowed.find((candidate) => candidate === value);
	if (known === undefined) throw invalid(name, `must be one of ${allowed.join(', ')}, but is ${JSON.stringify(value)}`);
	return known;
}

/** A number, as a model may be called "7". */
function modelName(value: unknown): string {
	return isSet(value) ? toText('model', value) : '';
}

function toText(name: string, value: unknown): string {
	if (typeof value === 'string') return value;
	if (typeof value !== 'number') throw invalid(name, `must be a text, but is ${JSON.stringify(value)}`);
	return String(value);
}

function toBoolean(name: string, value: unknown): boolean {
	const said = switchOf(value);
	if (said === undefined) throw invalid(name, `must be true or false, but is ${JSON.stringify(value)}`);
	return said;
}

function toNumber(name: string, value: unknown): number {
	const number =
		typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
	if (!Number.isFinite(number)) throw invalid(name, `must be a number, but is ${JSON.stringify(value)}`);
	return number;
}

function toObject(name: string, value: unknown): Record<string, unknown> {
	if (isRecord(value)) return value;
	const parsed = typeof value === 'string' ? parse(name, value) : value;
	if (!isRecord(parsed)) throw invalid(name, 'must be a JSON object');
	return parsed;
}

function parse(name: string, text: string): unknown {
	try {
		return JSON.parse(text.trim() === '' ? '{}' : text) as unknown;
	} catch (error) {
		throw invalid(name, `is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
	}
}

function invalid(name: string, what: string) {
	return failure(
		'invalidInput',
		{},
		{ message: `The field "${name}" ${what}`, remedy: 'Correct the field in the node.' },
	);
}

function unescaped(text: string): string {
	return text.replace(/\\([nrt\\])/g, (_all, sign: string) => ({ n: '\n', r: '\r', t: '\t' })[sign] ?? '\\');
}

function milliseconds(name: string, options: Record<string, unknown>): number | undefined {
	return isSet(options[name]) ? Math.max(0, toNumber(name, options[name]) * 1000) : undefined;
}

function optional<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
	return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}
