/** Options of the operations that start or follow a run. */
import type { ChoiceField, Choices, FieldTable, OptionValues } from '../../../lib/fields/field';
import { parseTraceId } from '../../../lib/dify/ids';
import type { RunRequest } from '../../../lib/dify/run/start-run';
import { GENERATION_RETRIES, toRequestSettings } from '../fields/request-options';

/** The end of the description of Retries. */
export const RETRY_CONDITION =
	'that Dify did not accept: a refused connection, or too many requests. A run that may have started is never sent again.';

/** Options of every node that starts runs, by name. */
export const RUN_OPTIONS = {
	enableStreaming: {
		kind: 'switch',
		label: 'Enable Streaming',
		default: true,
		description:
			'Whether to stream the response to the n8n chat if the Chat Trigger or Webhook responds with streaming. Items are then processed one after another. Expressions are evaluated for the first item only.',
	},
	idleTimeout: {
		kind: 'seconds',
		label: 'Idle Timeout (Seconds)',
		default: 600,
		description:
			'How long to wait without an event of the run; Dify pings do not count. 0 = no limit.',
	},
	maxConcurrentItems: {
		kind: 'number',
		label: 'Max Concurrent Items',
		default: 1,
		range: [1, 64],
		isInteger: true,
	},
	maxRetries: {
		kind: 'number',
		label: 'Retries',
		default: GENERATION_RETRIES,
		range: [0, 10],
		isInteger: true,
	},
	totalTimeout: {
		kind: 'seconds',
		label: 'Total Timeout (Seconds)',
		default: 0,
		description:
			'How long a run may take. After that, the node requests a stop. Dify stops a run after 20 minutes by default. 0 = no limit.',
	},
	traceId: {
		kind: 'text',
		label: 'Trace ID',
		description:
			'ID of this run in the tracing service connected to Dify: up to 128 letters, digits, hyphens and underscores',
		parse: (value: unknown): string | undefined => parseTraceId(value),
	},
	workflowId: { kind: 'name', label: 'Workflow ID' },
} as const satisfies FieldTable;

/** Values of these options, of which an operation may have only some. */
export type RunOptionValues = Partial<OptionValues<typeof RUN_OPTIONS>>;

/** What these options say about a run. */
export function toRunSettings(
	options: RunOptionValues,
): Pick<RunRequest, 'timeouts' | 'retries' | 'traceId' | 'workflowId'> {
	return {
		...toRequestSettings(options, RUN_OPTIONS.maxRetries.default),
		traceId: options.traceId,
		workflowId: options.workflowId || undefined,
	};
}

/** What may happen to a run that pauses for human input. */
export const PAUSE_CHOICES = {
	error: 'Fail',
	return: [
		'Return Paused Run',
		'The output item then has the status "paused" and the pending forms',
	],
} as const satisfies Choices;

/** Option for runs that pause for human input. */
export const onPauseField = {
	kind: 'choice',
	label: 'When Workflow Pauses',
	default: 'return',
	choices: PAUSE_CHOICES,
} as const satisfies ChoiceField;
