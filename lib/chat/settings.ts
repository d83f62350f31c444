/** The settings of a turn. */
import type { Timeouts } from '../http/timeouts';
import type { Priority } from '../http/queue';
import type { TraceSettings } from '../tracing/attributes';
import type { GenerationOptionValues } from './body/generation-options';
import type { JsonRecord } from '../values/records';

/** How much a model thinks, least first. `none`: not at all. */
export type ThinkingEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** The setting Thinking. `serverDefault`: nothing is sent. */
export type Thinking =
	| { mode: 'serverDefault' }
	| { mode: 'on' }
	| { mode: 'off' }
	| { mode: 'effort'; effort: ThinkingEffort }
	/** Maximum tokens of the thinking block. */
	| { mode: 'budget'; tokens: number };

/** JSON that matches a schema. */
export interface JsonSchemaFormat {
	type: 'jsonSchema';
	/** The schema that is sent. */
	schema: JsonRecord;
	/** The schema for validation, if it is less strict than the one that is sent. */
	validationSchema?: JsonRecord;
	/** Whether the prompt contains the schema, so that the format may be omitted if the server rejects it. */
	isInPrompt?: true;
	/** Name of the schema. Default: `answer`. */
	name?: string;
}

/** What form a response is to have. */
export type ResponseFormat =
	| { type: 'text' }
	| { type: 'jsonObject' }
	| JsonSchemaFormat
	| { type: 'grammar'; grammar: string };

/** Sampling and other settings of a generation. Fields that are not set are not sent. */
export interface SamplingSettings extends GenerationOptionValues {
	responseFormat?: ResponseFormat;
	thinking?: Thinking;
	/** Merged into the body last, overriding everything else. */
	extraBody?: JsonRecord;
}

/** Whether history includes thinking: never, in running tool turns, or with every message that has it. */
export type ThinkingHistory = 'never' | 'toolTurns' | 'always';

/** Settings of a turn. */
export interface ChatSettings {
	/** Its name on the server. Empty: the caller looks it up before a turn. */
	model: string;
	sampling: SamplingSettings;
	thinkingHistory: ThinkingHistory;
	/** Whether to show thinking in the response, between `<think>` tags. */
	showThinking: boolean;
	/** Whether calls that the model wrote into its text become calls (`read`, the default), or stay text. */
	toolCallsInText?: 'read' | 'leave';
	/** Maximum tokens of the earlier turns; older ones are omitted. Default: no limit. */
	historyBudget?: number;
	/** Trace settings: session, user, tags, prompt. */
	trace?: TraceSettings;
	/** In milliseconds. Default: `DEFAULT_TIMEOUTS`. */
	timeouts: Partial<Timeouts>;
	/** Retries after a refused connection or a busy server. */
	retries: number;
	/** Priority in the queue. Default: `interactive`. */
	priority?: Priority;
}

/** Whether the response is to be JSON. */
export function isJsonRequested({ responseFormat }: SamplingSettings): boolean {
	return responseFormat?.type === 'jsonObject' || responseFormat?.type === 'jsonSchema';
}

/** Whether the format is that of an operation, which has no option for it. */
export function hasFormatOfOperation(responseFormat: ResponseFormat | undefined): boolean {
	return responseFormat?.type === 'jsonSchema' && responseFormat.isInPrompt === true;
}

/** Whether the model is told not to think. */
export function isThinkingOff({ thinking }: SamplingSettings): boolean {
	return thinking?.mode === 'off' || (thinking?.mode === 'effort' && thinking.effort === 'none');
}
