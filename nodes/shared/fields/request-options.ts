/** Options of requests to a model server: what is added to the body, timeouts, retries and priority. */
import type { WorkflowExecuteMode } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { extraBodyField } from '../../../lib/exchange/request-fields';
import type {
	ChoiceField,
	FieldTable,
	OptionValues,
	SecondsField,
} from '../../../lib/fields/field';
import type { Priority } from '../../../lib/http/queue';
import type { Timeouts } from '../../../lib/http/timeouts';
import { omitUndefined } from '../../../lib/values/records';
import type { FieldContext, ItemSource } from './item-source';
import { optionsField } from './options-field';
import { readValues } from './read-values';

/** Default retries of a generation. */
export const GENERATION_RETRIES = 2;

/** Priority of the requests while all server slots are busy. */
const priorityField = {
	kind: 'choice',
	label: 'Priority',
	default: 'auto',
	choices: {
		auto: [
			'Automatic',
			'Interactive for one item of a chat or webhook; batch for schedules and several items',
		],
		batch: ['Batch', 'Lowest priority'],
		interactive: ['Interactive', 'A user is waiting for the response: highest priority'],
	},
	description:
		'Which requests are sent first while all server slots are busy. A request that has waited for one minute is sent next.',
} as const satisfies ChoiceField;

/** The label of every such timeout. */
export const firstTokenTimeoutField = {
	kind: 'seconds',
	label: 'First Token Timeout (Seconds)',
	default: 1800,
} as const satisfies SecondsField;

/** Request options of every generation: extra request fields, timeouts and retries. */
export const generationRequestOptions = {
	extraBody: extraBodyField,
	firstTokenTimeout: {
		...firstTokenTimeoutField,
		description:
			'How long to wait for the first token, including queueing, loading the model and processing the prompt. 0 = no limit.',
	},
	idleTimeout: {
		kind: 'seconds',
		label: 'Idle Timeout (Seconds)',
		default: 300,
		description: 'How long the response may pause after it has started. 0 = no limit.',
	},
	maxRetries: {
		kind: 'number',
		label: 'Retries',
		default: GENERATION_RETRIES,
		range: [0, 20],
		isInteger: true,
		description:
			'How often to retry after a refused connection. With 1 or more, the node also waits up to 2 minutes for a busy server, and sends a failed request once more if none of its output was shown. It waits for a model that is loading until the First Token Timeout.',
	},
	priority: priorityField,
	totalTimeout: {
		kind: 'seconds',
		label: 'Total Timeout (Seconds)',
		default: 0,
		description: 'How long the complete response may take. 0 = no limit.',
	},
} as const satisfies FieldTable;

/** Options of image and audio operations: additional fields, timeouts, retries. */
export const mediaRequestOptions = {
	extraBody: extraBodyField,
	priority: priorityField,
	firstTokenTimeout: {
		...firstTokenTimeoutField,
		description:
			'How long to wait until the server starts to respond: it sends nothing while it processes an image or a recording. 0 = no limit.',
	},
	maxRetries: {
		...generationRequestOptions.maxRetries,
		description:
			'How often to retry after a refused connection or when the server is busy. A request that the server may have started is never sent again.',
	},
	totalTimeout: generationRequestOptions.totalTimeout,
} as const satisfies FieldTable;

/** Options for requests that change nothing and are not streamed: their response arrives whole, so one timeout suffices. */
export const taskRequestOptions = {
	firstTokenTimeout: {
		...firstTokenTimeoutField,
		description:
			'How long to wait for the response to start, including queueing, loading the model and processing the texts. 0 = no limit.',
	},
	maxRetries: {
		kind: 'number',
		label: 'Retries',
		default: 3,
		range: [0, 20],
		isInteger: true,
		description:
			'How often to retry after a lost connection, or when a gateway cannot reach the server. With 1 or more, the node also waits up to 2 minutes for a busy server. It waits for a model that is loading until the First Token Timeout.',
	},
	priority: priorityField,
} as const satisfies FieldTable;

/** Settings of the requests of an item. */
export interface RequestSettings {
	/** Those that the user set. */
	timeouts: Partial<Timeouts>;
	/** How often a failed request is sent again. */
	retries: number;
}

/** Values of request options, of which a node may have only some. In milliseconds. */
export interface RequestOptionValues {
	readonly firstTokenTimeout?: number;
	readonly idleTimeout?: number;
	readonly totalTimeout?: number;
	readonly maxRetries?: number;
}

/** The timeouts and retries that were set. */
export function toRequestSettings(
	options: RequestOptionValues,
	defaultRetries: number = taskRequestOptions.maxRetries.default,
): RequestSettings {
	return {
		timeouts: omitUndefined({
			firstTokenMs: options.firstTokenTimeout,
			idleMs: options.idleTimeout,
			totalMs: options.totalTimeout,
		}),
		retries: options.maxRetries ?? defaultRetries,
	};
}

/** The part of a node's context that shows whether a user is waiting. */
interface ExecutionSource extends Pick<FieldContext, 'getInputData'> {
	getMode?(): WorkflowExecuteMode;
}

/** Executions that n8n starts itself: schedules, polling and queues, error workflows, evaluations. */
const UNATTENDED_MODES = new Set<WorkflowExecuteMode>(['trigger', 'error', 'evaluation']);

const PRIORITY_FIELDS = {
	options: optionsField({ priority: priorityField }),
} as const satisfies FieldTable;

/** The priority of a node's requests in the queue. The table is in docs/operations.md. */
export function readPriority(context: ExecutionSource, source: ItemSource): Priority {
	// The default for a sub-node is its own connection type.
	const items = context.getInputData?.(0, NodeConnectionTypes.Main) ?? [];
	const isStartedByN8n = UNATTENDED_MODES.has(context.getMode?.() ?? 'internal');
	const automatic = items.length > 1 || isStartedByN8n ? 'batch' : 'interactive';
	return toExplicitPriority(readValues(source, PRIORITY_FIELDS).options) ?? automatic;
}

/** The priority that the user selected; undefined: automatic. */
export function toExplicitPriority({
	priority = 'auto',
}: Partial<OptionValues<typeof PRIORITY_FIELDS.options.fields>>): Priority | undefined {
	return priority === 'auto' ? undefined : priority;
}
