/** The chapter of transport: responses that cannot be read, and requests that wait. */
import { formatDuration } from '../../values/duration';
import { formatMegabytes } from '../../values/size';
import type { ErrorType } from '../error-types';
import type { ConcurrencyLimits, ResponseExcess, UnreadableCompression } from '../facts';
import type { Row, Words } from './row';
import { defineRow } from './row';

const TIMEOUT_LABELS = {
	firstTokenTimeout: 'First Token Timeout',
	idleTimeout: 'Idle Timeout',
	totalTimeout: 'Total Timeout',
} as const satisfies Partial<Record<ErrorType, string>>;

const REPEATS = 'The model may repeat itself:';

export const TRANSPORT_ROWS: readonly Row[] = [
	defineRow({
		types: ['idleTimeout'],
		needs: ['missedRate', 'timeoutMs'],
		tell: ({ missedRate, timeoutMs }) => ({
			title: `The response is too slow: less than ${missedRate} bytes per second arrived for ${formatDuration(timeoutMs)}`,
			suggestion: 'Check the server log, and the network between n8n and the server.',
		}),
	}),
	...Object.entries(TIMEOUT_LABELS).map(([type, label]) =>
		defineRow({
			types: [type as keyof typeof TIMEOUT_LABELS],
			needs: ['queue', 'timeoutMs'],
			tell: ({ queue, timeoutMs }) => ({
				title: `The request waited in the n8n queue until its ${label} of ${formatDuration(timeoutMs)}, and was not sent`,
				suggestion: suggestConcurrency(queue),
			}),
		}),
	),
	defineRow({
		types: ['invalidResponse'],
		needs: ['compression'],
		tell: ({ compression }) => ({
			title: describeCompression(compression),
			suggestion:
				'A proxy in front of the server compresses it (nginx, Cloudflare): turn that off for the API, which also lets streams through without delay, or use the address of the server itself.',
		}),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['excess', 'isRunEvent'],
		tell: ({ excess }) => ({
			...describeExcess(excess),
			suggestion:
				'Let the workflow return less: one event contains all outputs of a node or of the run. Its beginning is in the details.',
		}),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['excess', 'hasTokenOption'],
		tell: ({ excess }) => {
			const { title, suggestion } = describeExcess(excess);
			if (excess.of === 'text')
				return { title, suggestion: `${REPEATS} set Maximum Tokens, or use another model.` };
			return {
				title,
				suggestion:
					excess.of === 'bytes' && excess.isJson
						? 'Request less at a time, for example with Maximum Tokens: the model may repeat itself. What was received is in the details.'
						: suggestion,
			};
		},
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['excess', 'service'],
		tell: ({ excess }) =>
			excess.of === 'text'
				? {
						...describeExcess(excess),
						suggestion: `${REPEATS} limit the tokens of the model in the app in Dify, or use another model there.`,
					}
				: undefined,
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['excess'],
		tell: ({ excess }) => describeExcess(excess),
	}),
	defineRow({
		types: ['modelLoadFailed'],
		needs: ['hasExitedWhileLoading'],
		tell: () => ({ title: 'The server exited while loading the model' }),
	}),
];

function describeCompression({ encoding, reason }: UnreadableCompression): string {
	return reason === undefined
		? `The response is compressed with ${encoding}, which was not asked for`
		: `The response is said to be compressed with ${encoding}, but cannot be decompressed: ${reason}`;
}

function describeExcess({ of, maxBytes, isJson }: ResponseExcess): Words {
	const size = formatMegabytes(maxBytes);
	switch (of) {
		case 'text':
			return {
				title: `The response contains more than ${size} of text, so it was not read further`,
				suggestion: `${REPEATS} use another model.`,
			};
		case 'values':
			return {
				title: `The response has so many values that they would take more than ${size} of memory, so it was not read`,
				suggestion:
					'Request less at a time, or check that the Base URL points to the API. The beginning of the response is in the details.',
			};
		case 'bytes':
			return {
				title: `The response is larger than ${size}, so reading was stopped`,
				suggestion: isJson
					? 'Request less at a time. What was received is in the details.'
					: 'Check that the Base URL points to the API: this address may be a webcam, a download or a log.',
			};
	}
}

function suggestConcurrency({ limit, slots = 1 }: ConcurrencyLimits): string {
	return limit > 0
		? `All ${limit} concurrent requests of the credential were in use (Max Concurrent Requests). Raise the number if the server has more slots, send fewer requests at the same time, or raise the timeout.`
		: `The server has ${slots} ${slots === 1 ? 'slot' : 'slots'}, and all were busy. Start it with more slots, send fewer requests at the same time, or raise the timeout. To let more requests wait at the server, set Max Concurrent Requests in the credential.`;
}
