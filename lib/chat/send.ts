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
const CONCESSIONS: Record<Concession, (request: ChatRequest, refusal: string) => Partial<ChatRequest> | undefined> = {
	withoutStream: () => ({ stream: false }),
	withoutUsageInStream: () => ({ streamUsage: false }),
	shortToolIds: () => ({ shortToolIds: true }),
	withoutThinkingSetting: withThinking(undefined),
	lowThinkingEffort: withThinking({ mode: 'effort', effort: 'low' }),
	withoutRefusedFields: ({ parameters }, refusal) => {
		const refused = [...refusal.matchAll(/\bbody\.(\w+): extra (?:inputs are|fields) not permitted/gi)].map(
			([, name]) => name!,
		);
		const isNeeded = (name: string) => NEEDED_FIELDS.has(name) || name in (parameters.extraBody ?? {});
		return refused.length === 0 || refused.some(isNeeded) ? undefined : { withoutFields: refused };
	},
};

/**
 * Without these the answer would not be what was asked for; so would be without what the user wrote into Extra Body.
 */
const NEEDED_FIELDS: ReadonlySet<string> = new Set([
	'model',
	'messages',
	'stream',
	'tools',
	'tool_choice',
	'response_format',
	'grammar',
	'structured_outputs',
	'ebnf',
]);

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
	const notes: string[] = [];
	for (let current = request; ; ) {
		const outcome = await trySending(connection, protocol, current, limits, signal);
		// A later one undoes what an earlier one said.
		if (!('failed' in outcome)) return { reader: outcome, notes: notes.slice(-1) };
		const { failed } = outcome;
		const said = failed.serverText ?? '';
		const refusal = REFUSALS.find((known) => !taken.has(known) && known.says.test(said));
		const change = refusal && CONCESSIONS[refusal.then](current, said);
		if (refusal === undefined || change === undefined) throw failed;
		taken.add(refusal);
		const names = change.withoutFields === undefined ? '' : `: ${change.withoutFields.join(', ')}`;
		if (refusal.note !== undefined) notes.push(refusal.note + names);
		current = { ...current, ...change };
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
