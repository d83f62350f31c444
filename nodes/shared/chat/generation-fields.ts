import type { INodeProperties } from 'n8n-workflow';

import { jsonField, wholeField } from '../field-kinds';
import { GENERATION_RETRIES, limit, priorityField } from '../limit-fields';

/** Options of every generation beside its samplers: further fields of the request, limits and retries. */
export const generationFields: INodeProperties[] = [
	jsonField('Extra Body', 'extraBody', '{}', {
		description:
			'JSON object that is merged into the request last, for fields this node does not offer',
	}),
	limit(
		'First Token Limit (Seconds)',
		'firstTokenLimit',
		1800,
		'How long to wait for the first token, including the queue, loading the model and reading the prompt. 0 = no limit.',
	),
	limit(
		'Idle Limit (Seconds)',
		'idleLimit',
		300,
		'How long the answer may pause once it has begun. 0 = no limit.',
	),
	wholeField('Retries', 'maxRetries', GENERATION_RETRIES, [0, 20], {
		description:
			'Tries after a refused connection or a server that is too busy. A generation that may have started is never sent again; a model that is loading is waited for within the First Token Limit.',
	}),
	priorityField,
	limit(
		'Total Limit (Seconds)',
		'totalLimit',
		0,
		'How long the whole answer may take. 0 = no limit.',
	),
];
