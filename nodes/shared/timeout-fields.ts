import type { INodeProperties, WorkflowExecuteMode } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { omitUndefined } from '../../lib/values/records';
import { choiceField, numberField, integerField } from './field-builders';
import type { Field, NodeParameters, ParameterSource } from './parameters';
import { asText, createOptionError, quoteValue } from './parameters';
import type { Priority } from '../../lib/http/queue';
import type { Timeouts } from '../../lib/http/timeouts';

/** Priority of the requests while all server slots are busy. */
export const priorityField: INodeProperties = choiceField(
	'Priority',
	'priority',
	'auto',
	{
		auto: [
			'Automatic',
			'Interactive for one item of a chat or webhook; batch for schedules and several items',
		],
		batch: ['Batch', 'Lowest priority'],
		interactive: ['Interactive', 'A user is waiting for the response: highest priority'],
	},
	'Which requests are sent first while all server slots are busy. A request that has waited for one minute is sent next.',
);

/** Default retries of a generation. */
export const GENERATION_RETRIES = 2;

/** A field for a timeout in seconds. With a minimum of 0, that is no limit. */
export function secondsField(
	displayName: string,
	name: string,
	value: number,
	description: string,
	minValue = 0,
): INodeProperties {
	return numberField(displayName, name, value, { typeOptions: { minValue }, description });
}

/** Options for requests that change nothing and are not streamed: their response arrives whole, so one timeout suffices. */
export const timeoutFields: INodeProperties[] = [
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		1800,
		'How long to wait for the response to start, including queueing, loading the model and processing the texts. 0 = no limit.',
	),
	integerField(
		'Retries',
		'maxRetries',
		3,
		[0, 20],
		'How often to retry after a lost connection, or when a gateway cannot reach the server. With 1 or more, the node also waits up to 2 minutes for a busy server. It waits for a model that is loading until the First Token Timeout.',
	),
	priorityField,
];

/** Settings of the requests of an item. */
export interface RequestSettings {
	/** Those that the user set. */
	timeouts: Partial<Timeouts>;
	/** How often a failed request is sent again. */
	retries: number;
}

/** Reads the timeouts and retries that the node has. */
export function readRequestSettings(
	parameters: NodeParameters,
	defaultRetries = 3,
): RequestSettings {
	const readTimeout = (name: string) =>
		parameters.milliseconds(`options.${name}Timeout`, undefined);
	return {
		timeouts: omitUndefined({
			firstTokenMs: readTimeout('firstToken'),
			idleMs: readTimeout('idle'),
			totalMs: readTimeout('total'),
		}),
		retries: parameters.number('options.maxRetries', defaultRetries),
	};
}

/** The part of a node's context that shows whether a user is waiting. */
interface ExecutionSource extends Pick<ParameterSource, 'getInputData'> {
	getMode?(): WorkflowExecuteMode;
}

/** Executions that n8n starts itself: schedules, polling and queues, error workflows, evaluations. */
const UNATTENDED_MODES = new Set<WorkflowExecuteMode>(['trigger', 'error', 'evaluation']);

/** The priority of a node's requests in the queue. The table is in docs/operations.md. */
export function readPriority(context: ExecutionSource, parameters: NodeParameters): Priority {
	// The default for a sub-node is its own connection type.
	const items = context.getInputData?.(0, NodeConnectionTypes.Main) ?? [];
	const isStartedByN8n = UNATTENDED_MODES.has(context.getMode?.() ?? 'internal');
	const automatic = items.length > 1 || isStartedByN8n ? 'batch' : 'interactive';
	return readExplicitPriority(parameters) ?? automatic;
}

/** The priority that the user selected; undefined: automatic. */
export function readExplicitPriority(parameters: NodeParameters): Priority | undefined {
	const choice = parameters.choice<Priority | 'auto'>('options.priority', 'auto');
	return choice === 'auto' ? undefined : choice;
}

/** Go's form of a duration, which Ollama reads: `5m`, `1h30m`, `-1m`. */
const DURATION =
	/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))*$/;

/**
 * Reads the value of Keep Alive: Ollama accepts a number of seconds, or a duration with a unit as text, and rejects "120"
 * (seen with 0.17.4).
 *
 * @returns undefined for an empty field.
 * @throws {ServerError} of type `invalidInput` naming the field
 */
export function asKeepAlive(field: Field, value: unknown): string | number | undefined {
	const text = asText(field, value).trim();
	if (text === '') return undefined;
	const seconds = /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
	if (Number.isFinite(seconds)) return seconds;
	if (DURATION.test(text)) return text;
	throw createOptionError(
		field,
		`must be a number of seconds, or a duration such as 30m or 1h30m, but is ${quoteValue(text)}`,
	);
}
