import { jsonField, integerField } from '../field-builders';
import type { INodeProperties } from 'n8n-workflow';
import { GENERATION_RETRIES, secondsField, priorityField } from '../timeout-fields';

/** Request options of every generation: extra request fields, timeouts and retries. */
export const requestOptionFields: INodeProperties[] = [
	jsonField(
		'Extra Body',
		'extraBody',
		'{}',
		'JSON object that is merged into the request, for fields that this node does not offer',
	),
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		1800,
		'How long to wait for the first token, including queueing, loading the model and processing the prompt. 0 = no limit.',
	),
	secondsField(
		'Idle Timeout (Seconds)',
		'idleTimeout',
		300,
		'How long the response may pause after it has started. 0 = no limit.',
	),
	integerField(
		'Retries',
		'maxRetries',
		GENERATION_RETRIES,
		[0, 20],
		'How often to retry after a refused connection. With 1 or more, the node also waits up to 2 minutes for a busy server, and sends a failed request once more if none of its output was shown. It waits for a model that is loading until the First Token Timeout.',
	),
	priorityField,
	secondsField(
		'Total Timeout (Seconds)',
		'totalTimeout',
		0,
		'How long the complete response may take. 0 = no limit.',
	),
];
