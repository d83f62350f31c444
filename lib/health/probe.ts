import type { Connection } from '../transport/connection';
import type { CallOptions } from '../transport/types';
import { ServerError } from '../transport/errors';
import { looksLikeHtml } from '../transport/http-failure';
import { networkFailure } from '../transport/network-failure';
import type { Probe, ProbeFailure } from './observations';

export interface ProbeOptions {
	timeoutMs: number;
	signal?: AbortSignal;
	/** Sent as the body of a POST. */
	json?: unknown;
}

const MOST_TEXT = 256 * 1024;

/** One question to a server. Never fails: what went wrong is part of the result. */
export async function ask(connection: Connection, url: string, { timeoutMs, signal, json }: ProbeOptions): Promise<Probe> {
	const startedAt = performance.now();
	// A connection that is kept occupies one of llama-server's few HTTP threads until it closes: with a dozen of them idle, the next request
	// was seen to wait for two seconds. A check must not do that to anybody.
	const call: CallOptions = { timeoutMs, signal, once: true, ...(json === undefined ? {} : { method: 'POST', json }) };
	const base = { method: json === undefined ? ('GET' as const) : ('POST' as const), url };
	try {
		const answer = await connection.call(url, call);
		const noAnswer = answer.status >= 300 || looksLikeHtml(answer.text, answer.headers['content-type']);
		return {
			...base,
			ms: elapsed(startedAt),
			answered: true,
			...(answer.url === url ? {} : { endedAt: answer.url }),
			status: answer.status,
			headers: answer.headers,
			text: answer.text.slice(0, MOST_TEXT),
			json: answer.json,
			...(noAnswer ? { failure: describeFailure(connection.refusal(answer)) } : {}),
		};
	} catch (error) {
		const failed = error instanceof ServerError ? error : networkFailure(error, connection.contextOf(url));
		return { ...base, ms: elapsed(startedAt), answered: false, failure: describeFailure(failed) };
	}
}

/** A failure as plain data. The address is left out of its message: the probe names it. */
export function describeFailure(error: ServerError): ProbeFailure {
	const { kind, remedy, serverText, facts, url } = error;
	const suffix = url === undefined ? '' : ` (${url})`;
	return {
		kind,
		message: suffix !== '' && error.message.endsWith(suffix) ? error.message.slice(0, -suffix.length) : error.message,
		remedy,
		...(typeof facts.code === 'string' ? { code: facts.code } : {}),
		...(serverText ? { serverText } : {}),
	};
}

export function elapsed(startedAt: number): number {
	return Math.round((performance.now() - startedAt) * 10) / 10;
}
