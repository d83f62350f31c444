import type { INodeProperties } from 'n8n-workflow';

import { parseTraceId } from '../../../lib/dify/ids';
import { DEFAULT_RUN_TIMEOUTS, type RunTimeouts } from '../../../lib/dify/run/run-reader';
import { booleanField, choiceField, toOptions, stringField, integerField } from '../field-builders';
import { secondsField } from '../timeout-fields';
import type { NodeParameters } from '../parameters';

export const simplifyField = booleanField(
	'Simplify',
	'simplify',
	true,
	'Whether to return a simplified version of the response instead of the raw data',
);

/** Field for runs that pause for human input. */
export function onPauseField(description: string): INodeProperties {
	return choiceField('When Workflow Pauses', 'onPause', 'return', {
		options: toOptions({
			error: 'Fail',
			return: [
				'Return Paused Run',
				'The output item then has the status "paused" and the pending forms',
			],
		}),
		description,
	});
}

/** The end of the description of Retries. */
export const RETRY_CONDITION =
	'that Dify did not accept: a refused connection, or too many requests. A run that may have started is never sent again.';

/** Options of every node that starts runs, by name. */
export const RUN_OPTIONS = {
	enableStreaming: booleanField(
		'Enable Streaming',
		'enableStreaming',
		true,
		'Whether to stream the response to the n8n chat if the Chat Trigger or Webhook responds with streaming. Items are then processed one after another. Expressions are evaluated for the first item only.',
	),
	idleTimeout: secondsField(
		'Idle Timeout (Seconds)',
		'idleTimeout',
		600,
		'How long to wait without an event of the run; Dify pings do not count. 0 = no limit.',
	),
	maxConcurrentItems: integerField('Max Concurrent Items', 'maxConcurrentItems', 1, [1, 64], {}),
	maxRetries: integerField('Retries', 'maxRetries', 2, [0, 10], {}),
	totalTimeout: secondsField(
		'Total Timeout (Seconds)',
		'totalTimeout',
		0,
		'How long a run may take. After that, the node requests a stop. Dify stops a run after 20 minutes by default. 0 = no limit.',
	),
	traceId: stringField(
		'Trace ID',
		'traceId',
		'ID of this run in the tracing service connected to Dify: up to 128 letters, digits, hyphens and underscores',
	),
	workflowId: stringField('Workflow ID', 'workflowId'),
} satisfies Record<string, INodeProperties>;

/** Reads these options. */
export function readRunOptions(parameters: NodeParameters) {
	return {
		timeouts: readRunTimeouts(parameters),
		retries: parameters.number('options.maxRetries', 2),
		traceId: parseTraceId(parameters.value('options.traceId')),
		workflowId: parameters.string('options.workflowId') || undefined,
	};
}

export function readRunTimeouts(parameters: NodeParameters): RunTimeouts {
	const { idleMs, totalMs } = DEFAULT_RUN_TIMEOUTS;
	return {
		idleMs: parameters.milliseconds('options.idleTimeout', idleMs),
		totalMs: parameters.milliseconds('options.totalTimeout', totalMs),
	};
}
