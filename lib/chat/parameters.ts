import { failure } from '../errors/failure';
import { isRecord } from '../values';
import { traitsOf } from '../servers/kinds';
import type { ExtraField, ServerKind } from '../servers/kinds/kind';
import type { ChatParameters } from './types';

/** A field of the request: its name on the wire. */
interface Field {
	wire: string;
	/** Not in OpenAI's API: what `extraFields` and `fieldNames` of the server's kind are about. */
	extra?: ExtraField;
}

type Scalar = Exclude<keyof ChatParameters, 'responseFormat' | 'thinking' | 'extraBody'>;

/** Every plain parameter in the order it is sent. Sources: contract llama-server 2.6 and OpenAI's API. */
export const FIELDS: Record<Scalar, Field> = {
	temperature: { wire: 'temperature' },
	topP: { wire: 'top_p' },
	topK: { wire: 'top_k', extra: 'topK' },
	minP: { wire: 'min_p', extra: 'minP' },
	typicalP: { wire: 'typical_p', extra: 'typicalP' },
	repeatPenalty: { wire: 'repeat_penalty', extra: 'repeatPenalty' },
	repeatLastN: { wire: 'repeat_last_n', extra: 'repeatLastN' },
	presencePenalty: { wire: 'presence_penalty' },
	frequencyPenalty: { wire: 'frequency_penalty' },
	dryMultiplier: { wire: 'dry_multiplier', extra: 'dryMultiplier' },
	dryBase: { wire: 'dry_base', extra: 'dryBase' },
	dryAllowedLength: { wire: 'dry_allowed_length', extra: 'dryAllowedLength' },
	dryPenaltyLastN: { wire: 'dry_penalty_last_n', extra: 'dryPenaltyLastN' },
	drySequenceBreakers: { wire: 'dry_sequence_breakers', extra: 'drySequenceBreakers' },
	xtcProbability: { wire: 'xtc_probability', extra: 'xtcProbability' },
	xtcThreshold: { wire: 'xtc_threshold', extra: 'xtcThreshold' },
	mirostat: { wire: 'mirostat', extra: 'mirostat' },
	mirostatTau: { wire: 'mirostat_tau', extra: 'mirostatTau' },
	mirostatEta: { wire: 'mirostat_eta', extra: 'mirostatEta' },
	seed: { wire: 'seed' },
	stop: { wire: 'stop' },
	maxTokens: { wire: 'max_tokens' },
	parallelToolCalls: { wire: 'parallel_tool_calls', extra: 'parallelToolCalls' },
	cachePrompt: { wire: 'cache_prompt', extra: 'cachePrompt' },
	slotId: { wire: 'id_slot', extra: 'slotId' },
	chatTemplateArguments: { wire: 'chat_template_kwargs', extra: 'chatTemplateArguments' },
};

/** A kind of server that is known to ignore a field does not get it. */
function isTakenBy({ extra }: Field, kind: ServerKind): boolean {
	const { extraFields } = traitsOf(kind);
	return extra === undefined || extraFields === 'all' || extraFields.includes(extra);
}

const NO_LIMIT = -1;

/** The plain parameters as wire fields. Only what is set. */
export function parameterFields(parameters: ChatParameters, kind: ServerKind): Record<string, unknown> {
	const { takesUnlimited, fieldNames = {} } = traitsOf(kind);
	const body: Record<string, unknown> = {};
	for (const [name, field] of Object.entries(FIELDS) as Array<[Scalar, Field]>) {
		const value = parameters[name];
		if (value === undefined || !isTakenBy(field, kind)) continue;
		if (name === 'parallelToolCalls' || (name === 'maxTokens' && value === NO_LIMIT && !takesUnlimited)) continue;
		body[(field.extra && fieldNames[field.extra]) ?? field.wire] = value;
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
	const { thinkingBudget, grammar } = traitsOf(kind);
	if (thinking?.mode === 'budget' && !thinkingBudget) plain.push('thinking token budget');
	if (responseFormat?.type === 'grammar' && grammar === undefined) plain.push('GBNF grammar');
	return plain;
}

/** Whether any set parameter depends on what kind of server answers, so that "automatic" has to find out. */
export function dependsOnServerKind(parameters: ChatParameters): boolean {
	const { thinking, responseFormat } = parameters;
	if (thinking !== undefined && thinking.mode !== 'serverDefault') return true;
	if (responseFormat?.type === 'grammar' || responseFormat?.type === 'jsonSchema') return true;
	if (parameters.maxTokens === NO_LIMIT) return true;
	return (Object.entries(FIELDS) as Array<[Scalar, Field]>).some(
		([name, field]) => field.extra !== undefined && parameters[name] !== undefined,
	);
}

/** Thinking, as each kind of server wants it said. */
export function thinkingFields(parameters: ChatParameters, kind: ServerKind): Record<string, unknown> {
	const { thinking } = parameters;
	const { thinkingSwitch, thinkingBudget } = traitsOf(kind);
	const template = (enable: boolean) => ({
		chat_template_kwargs: { ...parameters.chatTemplateArguments, enable_thinking: enable },
	});
	switch (thinking?.mode) {
		case 'on':
			// Models of Ollama that can think do so unasked, and most refuse an effort (seen: 0.17.4).
			return thinkingSwitch === 'effort' ? {} : template(true);
		case 'off':
			return thinkingSwitch === 'effort' ? { reasoning_effort: 'none' } : template(false);
		case 'effort':
			return { reasoning_effort: thinking.effort };
		case 'budget':
			return thinkingBudget ? { reasoning_budget_tokens: thinking.tokens } : {};
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
			return traitsOf(kind).grammar?.(responseFormat.grammar) ?? {};
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
