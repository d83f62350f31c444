import type { ChatSettings } from '../../lib/chat/request';
import type { ReasoningEcho } from '../../lib/chat/messages';
import { SAMPLER_ENTRIES, type Sampler, type SamplerValues } from '../../lib/chat/samplers';
import type { ResponseFormat, Thinking } from '../../lib/chat/types';
import type { ServerKind } from '../../lib/servers/kinds/kind';
import { isRecord } from '../../lib/values';
import { asNumber, asObject, asSwitch, asText, isBlank, wrongField, type Field } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';

type Effort = Extract<Thinking, { mode: 'effort' }>['effort'];

/** How the value of each type of option is read; undefined where there is none. */
const READ: { [Type in Sampler['type']]: (field: Field, value: unknown) => unknown } = {
	number: asNumber,
	switch: asSwitch,
	texts: (field, value) => {
		const texts = [value].flat(2).filter((text) => !isBlank(text));
		return texts.length === 0 ? undefined : texts.map((text) => unescaped(asText(field, text)));
	},
	object: filledObject,
};

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
			...readSamplers(parameters),
			...optional(
				'extraBody',
				filledObject(parameters.field('options.extraBody'), parameters.value('options.extraBody') ?? {}),
			),
			...optional('thinking', thinkingIn(parameters)),
			...optional('responseFormat', responseFormatIn(parameters)),
		},
		reasoningEcho: parameters.choice<ReasoningEcho>('options.reasoningEcho', 'toolTurns'),
		showThinking: parameters.flag('options.showThinking', false),
		...optional('toolChoice', parameters.choice<'auto' | 'none' | 'required'>('options.toolChoice', undefined)),
		...optional('toolCallsInText', parameters.choice<'read' | 'leave'>('options.toolCallsInText', undefined)),
		limits: {
			...optional('firstTokenMs', parameters.milliseconds('options.firstTokenLimit', undefined)),
			...optional('idleMs', parameters.milliseconds('options.idleLimit', undefined)),
			...optional('totalMs', parameters.milliseconds('options.totalLimit', undefined)),
		},
		retries: parameters.number('options.maxRetries', 2),
	};
}

function readSamplers(parameters: NodeParameters): SamplerValues {
	const values = SAMPLER_ENTRIES.flatMap(([name, sampler]) => {
		const value = parameters.value(`options.${name}`);
		const read = isBlank(value) ? undefined : READ[sampler.type](sampler, value);
		return read === undefined ? [] : [[name, read] as const];
	});
	return Object.fromEntries(values) as SamplerValues;
}

function filledObject(field: Field, value: unknown): Record<string, unknown> | undefined {
	const object = asObject(field, value);
	return Object.keys(object).length === 0 ? undefined : object;
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

function optional<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
	return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}
