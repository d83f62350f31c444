import type { INodeProperties } from 'n8n-workflow';
import { secondsField } from '../shared/timeout-fields';
import { requestOptionFields } from '../shared/chat/request-options';

/** Options of image and audio operations: additional fields, timeouts, retries. */
export const mediaFields: INodeProperties[] = [
	...requestOptionFields.filter(({ name }) => name === 'extraBody' || name === 'priority'),
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		1800,
		'How long to wait until the server starts to respond: it sends nothing while it processes an image or a recording. 0 = no limit.',
	),
	{
		...requestOptionFields.find(({ name }) => name === 'maxRetries')!,
		description:
			'How often to retry after a refused connection or when the server is busy. A request that the server may have started is never sent again.',
	},
	requestOptionFields.find(({ name }) => name === 'totalTimeout')!,
];
