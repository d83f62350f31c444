import { failure } from '../errors/failure';
import { isRecord } from '../values';
import type { ChatParameters, ServerKind } from './types';

/** A field of the request: its name on the wire, and who takes it. */
interface Field {
	wire: string;
	/** Kinds of server that honour it. Without: every OpenAI-compatible server. */
	on?: ReadonlyArray<Exclude<ServerKind, 'other'>>;
	/** Another name on some server. */
	as?: Partial<Record<ServerKind, string>>;
}

type Scalar = Exclude<keyof ChatParameters, 'responseFormat' | 'thinking' | 'extraBody'>;

const LLAMA = ['llamaServer'] as const;
const SAMPLERS = ['llamaServer', 'vllm'] as const;

/**
 * Every plain parameter in the order it is sent. A kind of server that is known to ignore a field does not get it; an unknown
 * server ("other") gets whatever the user set. Sources: contract llama-server 2.6 and 8.2; vLLM's sampling parameters.
 */
export const FIELDS: Record<Scalar, Field> = {
	temperature: { wire: 'temperature' },
	topP: { wire: 'top_p' },
	topK: { wire: 'top_k', on: SAMPLERS },
	minP: { wire: 'min_p', on: SAMPLERS },
	typicalP: { wire: 'typical_p', on: LLAMA },
	repeatPenalty: { wire: 'repeat_penalty', on: SAMPLERS, as: { vllm: 'repetition_penalty' } },
	repeatLastN: { wire: 'repeat_last_n', on: LLAMA },
	presencePenalty: { wire: 'presence_penalty' },
	frequencyPenalty: { wire: 'frequency_penalty' },
	dryMultiplier: { wire: 'dry_multiplier', on: LLAMA },
	dryBase: { wire: 'dry_base', on: LLAMA },
	dryAllowedLength: { wire: 'dry_allowed_length', on: LLAMA },
	dryPenaltyLastN: { wire: 'dry_penalty_last_n', on: LLAMA },
	drySequenceBreakers: { wire: 'dry_sequence_breakers', on: LLAMA },
	xtcProbability: { wire: 'xtc_probability', on: LLAMA },
	xtcThreshold: { wire: 'xtc_threshold', on: LLAMA },
	mirostat: { wire: 'mirostat', on: LLAMA },
	mirostatTau: { wire: 'mirostat_tau', on: LLAMA },
	mirostatEta: { wire: 'mirostat_eta', on: LLAMA },
	seed: { wire: 'seed' },
	stop: { wire: 'stop' },
	maxTokens: { wire: 'max_tokens' },
	parallelToolCalls: { wire: 'parallel_tool_calls', on: SAMPLERS },
	cachePrompt: { wire: 'cache_prompt', on: LLAMA },
	slotId: { wire: 'id_slot', on: LLAMA },
	chatTemplateArguments: { wire: 'chat_template_kwargs', on: SAMPLERS },
};

function isTakenBy(field: Field, kind: ServerKind): boolean {
	return field.on === undefined || kind === 'other' || field.on.includes(kind);
}

const NO_LIMIT = -1;

/** llama-server and Ollama know "no limit"; others refuse -1, and have no limit where nothing is sent. */
function takesNoLimit(kind: ServerKind): boolean {
	return kind === 'llamaServer' || kind === 'ollama';
}

/** The plain parameters as wire fields. Only what is set. */
export function parameterFields(parameters: ChatParameters, kind: ServerKind): Record<string, unknown> {
	const body: Record<string, unknown> = {};
	for (const [name, field] of Object.entries(FIELDS) as Array<[Scalar, Field]>) {
		const value = parameters[name];
		if (value === undefined || !isTakenBy(field, kind)) continue;
		if (name === 'parallelToolCalls' || (name === 'maxTokens' && value === NO_LIMIT && !takesNoLimit(kind))) continue;
		body[field.as?.[kind] ?? field.wire] = value;
	}
	return body;
}

/** Whether the server kind honours the switch for parallel calls. It is sent with tools only. */
export function takesParallelSwitch(kind: ServerKind): boolean {
	return isTakenBy(FIELDS.parallelToolCalls, kind);
}

/** Set parameters that this kind of server is known to ignore, by their names in the node. */
export function ignoredParameters(parameters: ChatParameters, kind: ServerKind): string[] {
	const plain: string[] = (Object.entries(FIELDS) as Array<[Scalar, Field]>).flatMap(([name, field]) =>
		parameters[name] !== undefined && !isTakenBy(field, kind) ? [name] : [],
	);
	const { thinking, responseFormat } = parameters;
	if (thinking?.mode === 'budget' && kind !== 'llamaServer' && kind !== 'other') plain.push('thinking token budget');
	if (responseFormat?.type === 'grammar' && kind === 'ollama') plain.push('GBNF grammar');
	return plain;
}

/** Whether any set parameter depends on what kind of server answers, so that "automatic" has to find out. */
export function dependsOnServerKind(parameters: ChatParameters): boolean {
	const { thinking, responseFormat } = parameters;
	if (thinking !== undefined && thinking.mode !== 'serverDefault') return true;
	if (responseFormat?.type === 'grammar' || responseFormat?.type === 'jsonSchema') return true;
	if (parameters.maxTokens === NO_LIMIT) return true;
	return (Object.entries(FIELDS) as Array<[Scalar, Field]>).some(
		([name, field]) => field.on !== undefined && parameters[name] !== undefined,
	);
}

/** Thinking, as each kind of server wants it said. */
export function thinkingFields(parameters: ChatParameters, kind: ServerKind): Record<string, unknown> {
	const { thinking } = parameters;
	const template = (enable: boolean) => ({
		chat_template_kwargs: { ...parameters.chatTemplateArguments, enable_thinking: enable },
	});
	switch (thinking?.mode) {
		case 'on':
			// Models of Ollama that can think do so unasked, and most refuse an effort (seen: 0.17.4).
			return kind === 'ollama' ? {} : template(true);
		case 'off':
			return kind === 'ollama' ? { reasoning_effort: 'none' } : template(false);
		case 'effort':
			return { reasoning_effort: thinking.effort };
		case 'budget':
			return kind === 'llamaServer' || kind === 'other' ? { reasoning_budget_tokens: thinking.tokens } : {};
		default:
			return {};
	}
}

/** The response format, as each kind of server wants it said. Schemas have been cleaned before. */
export function responseFormatFields(parameters: ChatParameters, kind: ServerKind): Record<string, unknown> {
	const { responseFormat } = parameters;
	switch (responseFormat?.type) {
		case 'jsonObject':
			return { response_format: { type: 'json_object' } };
		case 'jsonSchema':
			return {
				response_format: {
					type: 'json_schema',
					json_schema: { name: responseFormat.name ?? 'answer', strict: true, schema: responseFormat.schema },
				},
			};
		case 'grammar':
			if (kind === 'ollama') return {};
			return kind === 'vllm'
				? { structured_outputs: { grammar: responseFormat.grammar } }
				: { grammar: responseFormat.grammar };
		default:
			return {};
	}
}

/** Limits of llama-server v0.5.0 (`tools/server/server-schema.cpp`) and of OpenAI's API. */
const RANGES: Partial<Record<Scalar, readonly [least: number, most: number]>> = {
	temperature: [0, 100],
	topP: [0, 1],
	topK: [0, 2 ** 31 - 1],
	minP: [0, 1],
	typicalP: [0, 1],
	repeatPenalty: [0, 100],
	repeatLastN: [0, 2 ** 31 - 1],
	presencePenalty: [-2, 2],
	frequencyPenalty: [-2, 2],
	dryAllowedLength: [0, 2 ** 31 - 1],
	dryPenaltyLastN: [0, 2 ** 31 - 1],
	xtcProbability: [0, 1],
	xtcThreshold: [0, 1],
	mirostat: [0, 2],
	slotId: [-1, 2 ** 31 - 1],
	maxTokens: [-1, 2 ** 31 - 1],
};

/**
 * Refuses what the server would refuse, or take for something else, before anything is sent.
 *
 * @throws {ServerError} of kind `invalidInput` naming the field
 */
export function checkParameters(parameters: ChatParameters): void {
	for (const [name, value] of Object.entries(parameters)) {
		const range = RANGES[name as Scalar];
		if (
			typeof value === 'number' &&
			(!Number.isFinite(value) || (range !== undefined && (value < range[0] || value > range[1])))
		) {
			throw invalid(
				name,
				range === undefined ? 'must be a number' : `must be a number from ${range[0]} to ${range[1]}, but is ${value}`,
			);
		}
	}
	// llama-server takes 0 for "at least one token", which nobody means.
	if (parameters.maxTokens === 0) throw invalid('maxTokens', 'must be at least 1, or -1 for no limit, but is 0');
	if (parameters.extraBody !== undefined && !isRecord(parameters.extraBody))
		throw invalid('extraBody', 'must be a JSON object');
	if (parameters.chatTemplateArguments !== undefined && !isRecord(parameters.chatTemplateArguments)) {
		throw invalid('chatTemplateArguments', 'must be a JSON object');
	}
}

function invalid(name: string, what: string) {
	return failure(
		'invalidInput',
		{},
		{ message: `The option "${name}" ${what}`, remedy: 'Correct the option in the node.' },
	);
}
