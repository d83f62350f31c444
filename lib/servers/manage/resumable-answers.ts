import { randomUUID } from 'node:crypto';

import { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { ResumableAnswer } from '../../http/types';
import { LruCache } from '../../lru-cache';

const ASK_LIMIT_MS = 3_000;

/** By server, for a limited time: it may be updated while n8n runs. */
const keeping = LruCache.shared<boolean>({ ttlMs: 10 * 60_000 });

/**
 * How to resume reading the answer to the next request, if the server stores answers; otherwise undefined. llama-server
 * does, for some minutes after their end and up to 4 MiB each (docs/protocols/llama-server-new.md 1). Anyone with the
 * key and the ID can read an answer, and reusing an ID ends its run, so IDs are random.
 */
export async function resumableAt(
	connection: Connection,
	signal?: AbortSignal,
): Promise<ResumableAnswer | undefined> {
	const { api } = connection.url;
	if (!(await keepsAnswers(connection, signal))) return undefined;
	const url = `${api}/stream?conv_id=${randomUUID()}`;
	return {
		headers: { 'x-conversation-id': url.slice(url.indexOf('=') + 1) },
		attachUrl: (from) => `${url}&from=${from}`,
		cancelUrl: url,
	};
}

/** Asks for the list of IDs, since an unknown ID gives the same 404 as a missing route. */
async function keepsAnswers(
	connection: Connection,
	signal: AbortSignal | undefined,
): Promise<boolean> {
	const known = keeping.get(connection.id);
	if (known !== undefined) return known;
	const request = { json: { conversation_ids: [] }, timeoutMs: ASK_LIMIT_MS, signal };
	// A silent server counts as one that does not store answers: asking it again would delay every answer.
	const silent = (error: unknown) =>
		error instanceof ServerError && error.kind === 'totalLimit'
			? { status: 408, json: undefined }
			: undefined;
	const answer = await connection
		.call(`${connection.url.api}/streams/lookup`, request)
		.catch(silent);
	const keeps = answer?.status === 200 && Array.isArray(answer.json);
	// Not cached while the server is loading or busy: it may store answers.
	if (answer !== undefined && answer.status < 500) keeping.set(connection.id, keeps);
	return keeps;
}
