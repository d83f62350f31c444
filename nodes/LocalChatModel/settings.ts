/** Reads the settings of Local Chat Model. */
import type { ChatSettings, ThinkingHistory } from '../../lib/chat/settings';
import type { NodeParameters, Field } from '../shared/parameters';
import { asBoolean, asText } from '../shared/parameters';
import { GENERATION_RETRIES, readRequestSettings } from '../shared/timeout-fields';
import { traceFields } from './fields';
import { asRecord, isUnset } from '../../lib/values/records';
import { readGeneration } from '../shared/chat/generation-options';
import { readThinking } from '../shared/chat/thinking';
import { readResponseFormat } from '../shared/chat/response-format';
import { splitNames } from '../shared/binary';
import type { TraceSettings } from '../../lib/tracing/attributes';
import { getOwn } from '../../lib/values/own-properties';

/**
 * Reads the node's parameters, which expressions may return with any type.
 *
 * @throws {ServerError} of type `invalidInput` naming the field
 */
export function readSettings(parameters: NodeParameters): ChatSettings {
	return {
		model: parameters.string('model'),
		sampling: {
			...readGeneration(parameters),
			thinking: readThinking(parameters),
			responseFormat: readResponseFormat(parameters),
		},
		thinkingHistory: parameters.choice<ThinkingHistory>('options.thinkingHistory', 'toolTurns'),
		showThinking: parameters.boolean('options.showThinking', false),
		toolCallsInText: parameters.choice<'read' | 'leave'>('options.toolCallsInText', undefined),
		historyBudget: parameters.number('options.historyBudget', undefined),
		trace: readTrace(parameters),
		...readRequestSettings(parameters, GENERATION_RETRIES),
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
export function readLimits(parameters: NodeParameters): GenerationLimits {
	return {
		maxTools: parameters.number('options.maxTools', 0),
		tokenBudget: parameters.number('options.tokenBudget', 0),
	};
}

/** @throws {ServerError} of type `invalidInput` naming the field */
function readTrace(parameters: NodeParameters): TraceSettings | undefined {
	const trace = asRecord(parameters.value('options.trace'));
	const settings = traceFields
		.filter(({ name }) => !isUnset(getOwn(trace, name)))
		.map(({ name, displayName }) => {
			return [name, readTraceField({ label: `Trace: ${displayName}` }, name, getOwn(trace, name))];
		});
	return settings.length === 0 ? undefined : Object.fromEntries(settings);
}

function readTraceField(field: Field, name: string, value: unknown): unknown {
	if (name === 'recordTexts') return asBoolean(field, value);
	const text = [value].flat().map((entry) => asText(field, entry));
	const tags = splitNames(text.join(','));
	return name === 'tags' ? tags : text.map((entry) => entry.trim()).find(Boolean);
}
