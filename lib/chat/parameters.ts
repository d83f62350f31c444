import type { JsonRecord } from '../values';
import type { ServerType } from '../servers/types/server-type';
import {
	GENERATION_OPTION_ENTRIES,
	GENERATION_OPTIONS,
	type GenerationOption,
	type GenerationOptionName,
} from './generation-options';
import type { ChatParameters } from './types';

/** Whether an option is sent to this server type. Options that the type is known to ignore are not sent. */
export function supportsOption(
	{ supportedFields }: ServerType,
	name: GenerationOptionName,
): boolean {
	const { extension }: GenerationOption = GENERATION_OPTIONS[name];
	if (supportedFields === 'all') return extension !== 'listedServers';
	return extension === undefined || supportedFields.includes(name);
}

const NO_LIMIT = -1;

/** The request fields of the options that are set. */
export function toParameterFields(parameters: ChatParameters, serverType: ServerType): JsonRecord {
	const { supportsUnlimitedTokens, fieldNames = {} } = serverType;
	const body: JsonRecord = {};
	for (const [name, { fieldName }] of GENERATION_OPTION_ENTRIES) {
		const value = parameters[name];
		if (value === undefined || name === 'parallelToolCalls' || !supportsOption(serverType, name))
			continue;
		if (name === 'maxTokens' && value === NO_LIMIT && !supportsUnlimitedTokens) continue;
		body[fieldNames[name] ?? fieldName] = value;
	}
	return body;
}

/** Labels of set parameters that this server type ignores. */
export function getIgnoredParameters(parameters: ChatParameters, serverType: ServerType): string[] {
	const { thinking, responseFormat } = parameters;
	const ignored = GENERATION_OPTION_ENTRIES.filter(
		([name]) => parameters[name] !== undefined && !supportsOption(serverType, name),
	).map(([, { label }]) => label);
	// Off is not reported: a model without thinking complies anyway.
	if (thinking?.mode === 'on' && serverType.thinkingSwitch === 'none') ignored.push('Thinking');
	if (thinking?.mode === 'budget' && !serverType.supportsThinkingBudget)
		ignored.push('Thinking Token Budget');
	if (responseFormat?.type === 'grammar' && serverType.toGrammarFields === undefined)
		ignored.push('GBNF Grammar');
	return ignored;
}

export function isJsonRequested({ responseFormat }: ChatParameters): boolean {
	return responseFormat?.type === 'jsonObject' || responseFormat?.type === 'jsonSchema';
}

/** The request fields for thinking on this server type. */
export function toThinkingFields({ thinking }: ChatParameters, serverType: ServerType): JsonRecord {
	switch (thinking?.mode) {
		case 'budget':
			return serverType.supportsThinkingBudget ? { reasoning_budget_tokens: thinking.tokens } : {};
		case 'effort':
			return { reasoning_effort: thinking.effort };
		case 'on':
		case 'off':
			if (serverType.thinkingSwitch === 'template')
				return { chat_template_kwargs: { enable_thinking: thinking.mode === 'on' } };
			// Ollama's thinking models think by default, and most reject an effort (observed: 0.17.4).
			return serverType.thinkingSwitch === 'effort' && thinking.mode === 'off'
				? { reasoning_effort: 'none' }
				: {};
		default:
			return {};
	}
}

/** The request fields for the response format on this server type. Schemas are already cleaned. */
export function toResponseFormatFields(
	{ responseFormat }: ChatParameters,
	serverType: ServerType,
): JsonRecord {
	switch (responseFormat?.type) {
		case 'jsonObject':
			return { response_format: { type: 'json_object' } };
		case 'jsonSchema': {
			const { name = 'answer', schema } = responseFormat;
			return {
				response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } },
			};
		}
		case 'grammar':
			return serverType.toGrammarFields?.(responseFormat.grammar) ?? {};
		default:
			return {};
	}
}
