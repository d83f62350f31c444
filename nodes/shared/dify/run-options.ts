import type { INodeProperties } from 'n8n-workflow';

import { traceIdOf } from '../../../lib/dify/ids';
import { DEFAULT_RUN_LIMITS, type RunLimits } from '../../../lib/dify/run/read';
import { booleanField, choiceField, choices, stringField, wholeField } from '../field-kinds';
import { limit } from '../limit-fields';
import type { NodeParameters } from '../parameters';

export const simplifyField = booleanField('Simplify', 'simplify', true, {
	description: 'Whether to return a simplified version of the response instead of the raw data',
});

/** Field for runs that wait for people. */
export function onPauseField(description: string): INodeProperties {
	return choiceField('When Workflow Pauses', 'onPause', 'return', {
		options: choices({
			error: 'Fail',
			return: [
				'Return What There Is',
				'The item then has the status "paused", and the forms that wait for a person',
			],
		}),
		description,
	});
}

/** The end of the description of Retries. */
export const WHERE_NOTHING_BEGAN =
	'that Dify did not accept: a refused connection, or too many requests at once. A run that may have begun is never sent again.';

/** Options of every node that starts runs, by name. */
export const RUN_OPTIONS = {
	enableStreaming: booleanField('Enable Streaming', 'enableStreaming', true, {
		description:
			'Whether the answer is typed into the chat of n8n word by word, where the Chat Trigger or Webhook responds with streaming. The items are then answered one after another. An expression is evaluated for the first item only.',
	}),
	idleLimit: limit(
		'Idle Limit (Seconds)',
		'idleLimit',
		600,
		'Longest time without an event of the run; the pings of Dify do not count. 0 = no limit.',
	),
	itemsAtOnce: wholeField('Items at Once', 'itemsAtOnce', 1, [1, 64], {}),
	maxRetries: wholeField('Retries', 'maxRetries', 2, [0, 10], {}),
	totalLimit: limit(
		'Total Limit (Seconds)',
		'totalLimit',
		0,
		'How long a run may take. When it runs out, Dify is told to stop. Dify itself stops after 20 minutes unless it was set up otherwise. 0 = no limit.',
	),
	traceId: stringField('Trace ID', 'traceId', {
		description:
			'ID by which the tracing that is connected to Dify finds this run: up to 128 letters, digits, hyphens and underscores',
	}),
	workflowId: stringField('Workflow ID', 'workflowId'),
} satisfies Record<string, INodeProperties>;

/** Reads the options above. */
export function readRunOptions(parameters: NodeParameters) {
	return {
		limits: readRunLimits(parameters),
		retries: parameters.number('options.maxRetries', 2),
		traceId: traceIdOf(parameters.value('options.traceId')),
		workflowId: parameters.name('options.workflowId') || undefined,
	};
}

/** Reads the time limits. */
export function readRunLimits(parameters: NodeParameters): RunLimits {
	const { idleMs, totalMs } = DEFAULT_RUN_LIMITS;
	return {
		idleMs: parameters.milliseconds('options.idleLimit', idleMs),
		totalMs: parameters.milliseconds('options.totalLimit', totalMs),
	};
}
