import type { Connection } from '../http/connection';
import { isRecord } from '../values';
import type { ServerKind } from '../chat/types';

const REMEMBERED_MS = 10 * 60_000;
const UNKNOWN_MS = 30_000;
const PROBE_LIMIT_MS = 5_000;

const learned = new Map<string, { kind: ServerKind; until: number }>();

/** What is known of a server without asking it. */
export function knownServerKind(connection: Connection): ServerKind | undefined {
	const entry = learned.get(connection.url.api);
	return entry !== undefined && entry.until > Date.now() ? entry.kind : undefined;
}

/** Notes what the headers of any answer tell. llama-server names itself in every one (contract llama-server 8.1). */
export function learnFromHeaders(connection: Connection, headers: Record<string, string>): void {
	if (/llama\.cpp/i.test(headers.server ?? '')) remember(connection, 'llamaServer', REMEMBERED_MS);
}

/** Asks the server who it is: `Server` header, the owner in its model list, Ollama's version. Never fails; unknown servers are "other". */
export async function detectServerKind(connection: Connection, signal?: AbortSignal): Promise<ServerKind> {
	const known = knownServerKind(connection);
	if (known !== undefined) return known;
	try {
		const answer = await connection.call(`${connection.url.api}/models`, { timeoutMs: PROBE_LIMIT_MS, signal });
		learnFromHeaders(connection, answer.headers);
		const kind =
			knownServerKind(connection) ?? kindOfModelList(answer.json) ?? (await ollamaByVersion(connection, signal));
		remember(connection, kind ?? 'other', kind === undefined ? UNKNOWN_MS : REMEMBERED_MS);
		return kind ?? 'other';
	} catch {
		// The generation that follows meets the same trouble and reports it properly.
		return 'other';
	}
}

/** Models from elsewhere than Ollama's library carry their owner's name; only Ollama has this route (contract llama-server 8.1). */
async function ollamaByVersion(
	connection: Connection,
	signal: AbortSignal | undefined,
): Promise<ServerKind | undefined> {
	const { status, json } = await connection.call(`${connection.url.root}/api/version`, {
		timeoutMs: PROBE_LIMIT_MS,
		signal,
	});
	return status === 200 && isRecord(json) && typeof json.version === 'string' ? 'ollama' : undefined;
}

/** The kind of server by the owner of its models. */
export function kindOfModelList(list: unknown): ServerKind | undefined {
	const data = isRecord(list) && Array.isArray(list.data) ? (list.data as unknown[]).filter(isRecord) : [];
	const owners = new Set(data.map(({ owned_by: owner }) => owner));
	if (owners.has('llamacpp')) return 'llamaServer';
	if (owners.has('vllm')) return 'vllm';
	// Ollama names the namespace of the model, "library" for its own.
	if (owners.has('library')) return 'ollama';
	return undefined;
}

/** Forgets everything learned. For tests. */
export function forgetServerKinds(): void {
	learned.clear();
}

function remember(connection: Connection, kind: ServerKind, forMs: number): void {
	if (learned.size > 500) learned.clear();
	learned.set(connection.url.api, { kind, until: Date.now() + forMs });
}
