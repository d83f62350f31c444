import type { Connection } from '../../http/connection';
import type { CallOptions } from '../../http/types';
import { ServerError } from '../../errors/server-error';
import { looksLikeHtml } from '../../errors/failed-answer';
import { isRefusal } from '../../errors/http-failure';
import { optional } from '../../values';
import { networkFailure } from '../../errors/network-failure';
import type { Probe, ProbeFailure } from '../observations';

export interface ProbeOptions {
	timeoutMs: number;
	signal?: AbortSignal;
	/** Sent as the body of a POST. */
	json?: unknown;
}

const MAX_TEXT = 256 * 1024;
/** Several requests run at once, and anything may answer. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Sends one request. Never throws: a failure is part of the result. */
export async function ask(
	connection: Connection,
	url: string,
	{ timeoutMs, signal, json }: ProbeOptions,
): Promise<Probe> {
	const startedAt = performance.now();
	// A connection that is kept occupies one of llama-server's few HTTP threads until it closes: with a dozen of them
	// idle, the next request was seen to wait for two seconds. A check must not cause that.
	const call: CallOptions = {
		timeoutMs,
		signal,
		once: true,
		maxBytes: MAX_BYTES,
		...(json === undefined ? {} : { method: 'POST', json }),
	};
	const base = { method: json === undefined ? ('GET' as const) : ('POST' as const), url };
	try {
		const answer = await connection.call(url, call);
		const noAnswer =
			isRefusal(answer) || looksLikeHtml(answer.text, answer.headers['content-type']);
		return {
			...base,
			ms: elapsed(startedAt),
			answered: true,
			...(answer.url === url ? {} : { endedAt: connection.mask(answer.url) }),
			...optional({ redirects: answer.redirects }),
			status: answer.status,
			headers: answer.headers,
			text: answer.text.slice(0, MAX_TEXT),
			json: answer.json,
			...(noAnswer ? { failure: describeFailure(connection.refusal(answer)) } : {}),
		};
	} catch (error) {
		const failed =
			error instanceof ServerError ? error : networkFailure(error, connection.contextOf(url));
		return { ...base, ms: elapsed(startedAt), answered: false, failure: describeFailure(failed) };
	}
}

/** A failure as plain data, without its address: the probe names that. */
export function describeFailure(error: ServerError): ProbeFailure {
	const { kind, meaning, remedy, code, serverText, facts } = error;
	return {
		kind,
		message: meaning,
		remedy,
		...optional({ code }),
		...(serverText ? { serverText } : {}),
		...(facts.answerBegan === true ? { began: true } : {}),
	};
}

export function elapsed(startedAt: number): number {
	return Math.round((performance.now() - startedAt) * 10) / 10;
}
