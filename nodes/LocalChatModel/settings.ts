import type { ChatSettings } from '../../lib/chat/request';
import type { ReasoningEcho } from '../../lib/chat/messages';
import type { ChatParameters, ResponseFormat, Thinking } from '../../lib/chat/types';
import type { ServerKind } from '../../lib/servers/kinds/kind';
import { isRecord } from '../../lib/values';
import { asText, isBlank, wrongField } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';

type Effort = Extract<Thinking, { mode: 'effort' }>['effort'];

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
const SWITCHES = ['parallelToolCalls', 'cachePrompt'] as const satisfies ReadonlyArray<keyof ChatParameters>;
const TEXTS = ['drySequenceBreakers', 'stop'] as const satisfies ReadonlyArray<keyof ChatParameters>;
const OBJECTS = ['chatTemplateArguments', 'extraBody'] as const satisfies ReadonlyArray<keyof ChatParameters>;

/**
 * Reads the node's parameters, which may come out of expressions with any type.
 *
 * @throws {ServerError} of kind `invalidInput` naming the field
 */
export function readSettings(parameters: NodeParameters): ChatSettings {
	return {
		model: parameters.name('model'),
		serverKind: parameters.choice<ServerKind | 'auto'>('serverType'),
		parameters: {
			...readOptions(parameters),
			...optional('thinking', thinkingIn(parameters)),
			...optional('responseFormat', responseFormatIn(parameters)),
		},
		reasoningEcho: parameters.choice<ReasoningEcho>('options.reasoningEcho', 'toolTurns'),
		showThinking: parameters.flag('options.showThinking', false),
		...optional('toolChoice', parameters.choice<'auto' | 'none' | 'required'>('options.toolChoice', undefined)),
		limits: {
			...optional('firstTokenMs', parameters.milliseconds('options.firstTokenLimit', undefined)),
			...optional('idleMs', parameters.milliseconds('options.idleLimit', undefined)),
			...optional('totalMs', parameters.milliseconds('options.totalLimit', undefined)),
		},
		retries: parameters.number('options.maxRetries', 2),
	};
}

function readOptions(parameters: NodeParameters): ChatParameters {
	const read: ChatParameters = {};
	for (const name of NUMBERS) setIfGiven(read, name, parameters.number(`options.${name}`, undefined));
	for (const name of SWITCHES) setIfGiven(read, name, parameters.flag(`options.${name}`, undefined));
	for (const name of TEXTS) {
		const field = parameters.field(`options.${name}`);
		const texts = [parameters.value(`options.${name}`)].flat(2).filter((text) => !isBlank(text));
		if (texts.length > 0) read[name] = texts.map((text) => unescaped(asText(field, text)));
	}
	for (const name of OBJECTS) {
		const value = parameters.object(`options.${name}`, {});
		if (Object.keys(value).length > 0) read[name] = value;
	}
	return read;
}

function thinkingIn(parameters: NodeParameters): Thinking | undefined {
	const mode = parameters.choice<Thinking['mode']>('thinking');
	switch (mode) {
		case 'on':
		case 'off':
			return { mode };
		case 'effort':
			return { mode, effort: parameters.choice<Effort>('thinkingEffort') };
		case 'budget':
			return { mode, tokens: parameters.number('thinkingBudget') };
		default:
			return undefined;
	}
}

function responseFormatIn(parameters: NodeParameters): ResponseFormat | undefined {
	switch (parameters.choice<ResponseFormat['type']>('responseFormat')) {
		case 'jsonObject':
			return { type: 'jsonObject' };
		case 'jsonSchema': {
			const { schema, name } = bareSchema(parameters.object('jsonSchema'));
			if (Object.keys(schema).length === 0) throw wrongField(parameters.field('jsonSchema').label, 'is empty');
			return { type: 'jsonSchema', schema, ...optional('name', name) };
		}
		case 'grammar': {
			const grammar = parameters.freeText('grammar');
			if (grammar.trim() === '') throw wrongField(parameters.field('grammar').label, 'is empty');
			return { type: 'grammar', grammar };
		}
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

function unescaped(text: string): string {
	return text.replace(/\\([nrt\\])/g, (_all, sign: string) => ({ n: '\n', r: '\r', t: '\t' })[sign] ?? '\\');
}

function setIfGiven<K extends keyof ChatParameters>(into: ChatParameters, name: K, value: ChatParameters[K]): void {
	if (value !== undefined) into[name] = value;
}

function optional<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
	return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}
