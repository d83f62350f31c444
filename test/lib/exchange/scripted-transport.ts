/**
 * A transport without sockets: each request gets the reply that a test chooses.
 *
 * `jest.mock('../../../lib/http/send-request', () => jest.requireActual<object>('./scripted-transport'))`
 */
import type { ErrorType } from '../../../lib/errors/error-types';
import { ConnectionFailure } from '../../../lib/http/connection-failure';
import type { OutgoingRequest, RawResponse } from '../../../lib/http/send-request';
import type { JsonRecord } from '../../../lib/values/records';

export const { getMethod } = jest.requireActual<typeof import('../../../lib/http/send-request')>(
	'../../../lib/http/send-request',
);

export type Reply =
	| { type: 'usable' }
	| { type: 'correctable' }
	| { type: 'output'; errorType: ErrorType; text?: string }
	| { type: 'rejected'; status?: number; message: string }
	| { type: 'lost' };

export interface SentRequest {
	url: string;
	body: JsonRecord;
}

export interface ScriptedTransport {
	/** Requests for output, without lists of models. */
	sent: SentRequest[];
	reply(request: SentRequest): Reply;
	/** The JSON at a URL that is read, such as a list of models, or only a status. Default: 404 everywhere. */
	read?(url: string): object | number;
	/** Until when each response is held back. */
	held?: Promise<void>;
	/** Until when what is read is held back. */
	heldReads?: Promise<void>;
}

export const transport: ScriptedTransport = { sent: [], reply: () => ({ type: 'usable' }) };

export async function sendRequest({
	options: { url, json },
	signal,
}: Pick<OutgoingRequest, 'options' | 'signal'>): Promise<RawResponse> {
	signal.throwIfAborted();
	const request = { url, body: json ?? {} };
	if (json === undefined) {
		const found = transport.read?.(url) ?? 404;
		await transport.heldReads;
		return typeof found === 'number' ? toResponse(url, found, {}) : toResponse(url, 200, found);
	}
	transport.sent.push(request);
	const reply = transport.reply(request);
	await Promise.race([transport.held, whenAborted(signal)]);
	signal.throwIfAborted();
	if (reply.type === 'lost')
		throw new ConnectionFailure(Object.assign(new Error('reset'), { code: 'ECONNREFUSED' }));
	return reply.type === 'rejected'
		? toResponse(url, reply.status ?? 400, { error: { message: reply.message } })
		: toResponse(url, 200, { reply });
}

async function whenAborted(signal: AbortSignal): Promise<void> {
	await new Promise<void>((resolve) => {
		signal.addEventListener('abort', () => resolve(), { once: true });
	});
}

function toResponse(url: string, status: number, value: object): RawResponse {
	const chunks = [Buffer.from(JSON.stringify(value))];
	return {
		url,
		status,
		headers: { 'content-type': 'application/json' },
		body: (async function* () {
			yield* await Promise.resolve(chunks);
		})(),
		close: () => {},
	};
}
