import type { Connection } from '../../http/connection';
import type { CallAnswer, CallOptions } from '../../http/types';
import { ServerError } from '../../errors/server-error';
import { looksLikeHtml } from '../../errors/failed-answer';
import { isRefusal } from '../../errors/http-failure';
import { optional } from '../../values';
import { networkFailure } from '../../errors/network-failure';
import type { Probe, ProbeFailure } from '../observations';

interface ProbeOptions {
	timeoutMs: number;
	signal?: AbortSignal;
	/** Sent as the body of a POST. */
	json?: unknown;
}

const MAX_TEXT = 256 * 1024;
/** Several requests run at once, and anything may answer. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Sends one request. Never throws: a failure is part of the result. */
export async function send(
	connection: Connection,
	url: string,
	{ timeoutMs, signal, json }: ProbeOptions,
): Promise<Probe> {
	const startedAt = performance.now();
	// A connection that is kept occupies one of llama-server's few HTTP threads until it closes: with a dozen of them
	// idle, the next request was seen to wait for two seconds. A check must not cause that.
	const method = json === undefined ? 'GET' : 'POST';
	const call: CallOptions = { method, json, timeoutMs, signal, once: true, maxBytes: MAX_BYTES };
	try {
		const answer = await connection.call(url, call);
		return { method, ms: elapsed(startedAt), answered: true, ...answerOf(connection, url, answer) };
	} catch (error) {
		const failed =
			error instanceof ServerError ? error : networkFailure(error, connection.contextOf(url));
		const failure = describeFailure(failed);
		return { method, url, ms: elapsed(startedAt), answered: false, failure };
	}
}

/** An answer as plain data. */
function answerOf(connection: Connection, url: string, answer: CallAnswer) {
	const { status, headers, text, json, redirects } = answer;
	const isUnusable = isRefusal(answer) || looksLikeHtml(text, headers['content-type']);
	return {
		url,
		...optional({
			endedAt: answer.url === url ? undefined : connection.mask(answer.url),
			redirects,
			failure: isUnusable ? describeFailure(connection.refusal(answer)) : undefined,
		}),
		status,
		headers,
		text: text.slice(0, MAX_TEXT),
		json,
	};
}

/** A failure as plain data, without its address: the probe names that. */
export function describeFailure(error: ServerError): ProbeFailure {
	const { kind, meaning, remedy, code, serverText, facts } = error;
	const failure: ProbeFailure = { kind, message: meaning, remedy, ...optional({ code }) };
	if (serverText) failure.serverText = serverText;
	if (facts.answerBegan === true) failure.began = true;
	return failure;
}

export function elapsed(startedAt: number): number {
	return Math.round((performance.now() - startedAt) * 10) / 10;
}
