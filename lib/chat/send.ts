import { failure } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { EventStream } from '../http/types';
import { REFUSALS } from '../servers/kinds';
import type { Concession, Refusal } from '../servers/kinds/kind';
import { retryUntilReady } from '../servers/retry';
import type { ChatSettings } from './request';
import type { ChatRequest, Thinking } from './types';
import type { ChatProtocol } from './wire/protocol';

const withThinking = (thinking: Thinking | undefined) => (request: ChatRequest) => ({
	parameters: { ...request.parameters, thinking },
});

/** What each concession to a server changes. Nothing was generated before it, so sending again is safe. */
const CONCESSIONS: Record<Concession, (request: ChatRequest) => Partial<ChatRequest>> = {
	withoutStream: () => ({ stream: false }),
	withoutUsageInStream: () => ({ streamUsage: false }),
	shortToolIds: () => ({ shortToolIds: true }),
	withoutThinkingSetting: withThinking(undefined),
	lowThinkingEffort: withThinking({ mode: 'effort', effort: 'low' }),
};

type Limits = Pick<ChatSettings, 'limits' | 'retries'>;

/**
 * Sends a request, and sends it again in another form where the server refuses this one before it generates anything.
 *
 * @returns the answer, and remarks on what was sent in place of what was asked for
 * @throws {ServerError} the refusal that nothing gets past
 */
export async function sendRequest(
	connection: Connection,
	protocol: ChatProtocol,
	request: ChatRequest,
	limits: Limits,
	signal: AbortSignal | undefined,
): Promise<{ reader: EventStream; notes: string[] }> {
	const taken = new Set<Refusal>();
	for (let current = request; ; ) {
		const outcome = await trySending(connection, protocol, current, limits, signal);
		// A later one undoes what an earlier one said.
		if (!('failed' in outcome))
			return { reader: outcome, notes: [...taken].flatMap(({ note }) => note ?? []).slice(-1) };
		const { failed } = outcome;
		const refusal = REFUSALS.find((known) => !taken.has(known) && known.says.test(failed.serverText ?? ''));
		if (refusal === undefined) throw failed;
		taken.add(refusal);
		current = { ...current, ...CONCESSIONS[refusal.then](current) };
	}
}

async function trySending(
	connection: Connection,
	protocol: ChatProtocol,
	request: ChatRequest,
	{ limits, retries }: Limits,
	signal: AbortSignal | undefined,
): Promise<EventStream | { failed: ServerError }> {
	const about = { model: request.model };
	try {
		return await connection.stream(protocol.url(connection.url), {
			json: protocol.body(request),
			signal,
			about,
			limits,
			framing: protocol.framing,
			retry: retryUntilReady(connection, { retries, firstTokenMs: limits.firstTokenMs, about }),
		});
	} catch (error) {
		const context = connection.contextOf(connection.url.api, about);
		return { failed: error instanceof ServerError ? error : failure('invalidAnswer', context) };
	}
}
