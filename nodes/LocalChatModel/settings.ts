import type { ChatSettings } from '../../lib/chat/client';
import type { ReasoningEcho } from '../../lib/chat/messages';
import type { ChatParameters, ResponseFormat, ServerKind, Thinking } from '../../lib/chat/types';
import { failure, isRecord } from '../../lib/transport/failure';

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

/** Options that go to the server as they are, by their type. */
const NUMBERS = [
	'temperature', 'topP', 'topK', 'minP', 'typicalP', 'repeatPenalty', 'repeatLastN', 'presencePenalty', 'frequencyPenalty',
	'dryMultiplier', 'dryBase', 'dryAllowedLength', 'dryPenaltyLastN', 'xtcProbability', 'xtcThreshold', 'mirostat', 'mirostatTau', 'mirostatEta',
	'seed', 'maxTokens', 'slotId',
] as const satisfies ReadonlyArray<keyof ChatParameters>;
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
		model: String(parameters.model ?? ''),
		serverKind: parameters.serverType as ServerKind | 'auto',
		parameters: {
			...readOptions(options),
			...optional('thinking', thinkingOf(parameters)),
			...optional('responseFormat', responseFormatOf(parameters)),
		},
		reasoningEcho: (options.reasoningEcho as ReasoningEcho | undefined) ?? 'toolTurns',
		showThinking: options.showThinking === true,
		...optional('toolChoice', options.toolChoice as ChatSettings['toolChoice']),
		limits: {
			...milliseconds('firstTokenMs', options.firstTokenLimit),
			...milliseconds('idleMs', options.idleLimit),
			...milliseconds('totalMs', options.totalLimit),
		},
		retries: toNumber('maxRetries', options.maxRetries ?? 2),
	};
}

function readOptions(options: Record<string, unknown>): ChatParameters {
	const parameters: ChatParameters = {};
	for (const name of NUMBERS) if (isSet(options[name])) parameters[name] = toNumber(name, options[name]);
	for (const name of SWITCHES) if (isSet(options[name])) parameters[name] = options[name] === true || options[name] === 'true';
	for (const name of TEXTS) {
		const texts = [options[name]].flat().filter((text): text is string => typeof text === 'string' && text !== '');
		if (texts.length > 0) parameters[name] = texts.map(unescaped);
	}
	for (const name of OBJECTS) {
		const value = isSet(options[name]) ? toObject(name, options[name]) : {};
		if (Object.keys(value).length > 0) parameters[name] = value;
	}
	return parameters;
}

function thinkingOf({ thinking, thinkingEffort, thinkingBudget }: NodeParameters): Thinking | undefined {
	switch (thinking) {
		case 'on':
		case 'off':
			return { mode: thinking };
		case 'effort':
			return { mode: 'effort', effort: thinkingEffort as Extract<Thinking, { mode: 'effort' }>['effort'] };
		case 'budget':
			return { mode: 'budget', tokens: toNumber('thinkingBudget', thinkingBudget) };
		default:
			return undefined;
	}
}

function responseFormatOf({ responseFormat, jsonSchema, grammar }: NodeParameters): ResponseFormat | undefined {
	switch (responseFormat) {
		case 'jsonObject':
			return { type: 'jsonObject' };
		case 'jsonSchema': {
			const schema = toObject('jsonSchema', jsonSchema);
			if (Object.keys(schema).length === 0) throw invalid('jsonSchema', 'is empty');
			return { type: 'jsonSchema', schema };
		}
		case 'grammar':
			if (typeof grammar !== 'string' || grammar.trim() === '') throw invalid('grammar', 'is empty');
			return { type: 'grammar', grammar };
		default:
			return undefined;
	}
}

function isSet(value: unknown): boolean {
	return value !== undefined && value !== null && value !== '';
}

function toNumber(name: string, value: unknown): number {
	const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
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
	return failure('invalidInput', {}, { message: `The field "${name}" ${what}`, remedy: 'Correct the field in the node.' });
}

function unescaped(text: string): string {
	return text.replace(/\\([nrt\\])/g, (_all, sign: string) => ({ n: '\n', r: '\r', t: '\t' })[sign] ?? '\\');
}

function milliseconds<K extends string>(name: K, seconds: unknown): Partial<Record<K, number>> {
	return isSet(seconds) ? ({ [name]: Math.max(0, toNumber(name, seconds) * 1000) } as Record<K, number>) : {};
}

function optional<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
	return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}
