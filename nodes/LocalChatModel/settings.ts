/** The settings of Local Chat Model, from the values of its fields. */
import { toThinking } from '../../lib/chat/body/thinking-fields';
import type { ChatSettings } from '../../lib/chat/settings';
import type { Values } from '../../lib/fields/field';
import type { TraceSettings } from '../../lib/tracing/attributes';
import { omitUndefined } from '../../lib/values/records';
import { toResponseFormat } from '../shared/chat/response-format';
import { toSamplingSettings } from '../shared/chat/sampling';
import { GENERATION_RETRIES, toRequestSettings } from '../shared/fields/request-options';
import type { fields } from './fields';

type ChatModelValues = Values<typeof fields>;

/**
 * Reads all values but the limits.
 *
 * @throws {ServerError} of type `invalidInput` naming the field
 */
export function toSettings(values: ChatModelValues): ChatSettings {
	const { model, options } = values;
	return {
		model,
		sampling: {
			...toSamplingSettings(options),
			thinking: toThinking(values),
			responseFormat: toResponseFormat(values),
		},
		thinkingHistory: options.thinkingHistory ?? 'toolTurns',
		showThinking: options.showThinking ?? false,
		toolCallsInText: options.toolCallsInText,
		historyBudget: options.historyBudget,
		trace: toTraceSettings(options.trace),
		...toRequestSettings(options, GENERATION_RETRIES),
	};
}

/** What limits the generations of an execution. */
export interface GenerationLimits {
	/** How many tools the model is offered; 0 for all. */
	maxTools: number;
	/** Tokens of all prompts and responses of the execution; 0 for no limit. */
	tokenBudget: number;
}

/** @throws {ServerError} of type `invalidInput` naming the field */
export function toLimits({ options }: ChatModelValues): GenerationLimits {
	return { maxTools: options.maxTools ?? 0, tokenBudget: options.tokenBudget ?? 0 };
}

/** Undefined if nothing is set. */
function toTraceSettings(trace: ChatModelValues['options']['trace']): TraceSettings | undefined {
	if (trace === undefined) return undefined;
	const { recordTexts, sessionId, tags, userId } = trace;
	const settings = omitUndefined({ recordTexts, sessionId, tags, userId });
	return Object.keys(settings).length === 0 ? undefined : settings;
}
