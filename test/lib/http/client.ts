/** Shared by the transport tests: one chat on a simulator, and its result. */
import type { Connection } from '../../../lib/http/connection';
import { connectTo, type ServerSettings } from '../../../lib/servers/connect';
import { retryUntilReady } from '../../../lib/servers/retry';
import type { EventStream, StreamOptions } from '../../../lib/http/types';
import { ServerError } from '../../../lib/errors/server-error';
import type { ServerSentEvent } from '../../../lib/http/sse';

export const CHAT = {
	model: 'sim-model',
	stream: true,
	messages: [{ role: 'user', content: 'Hi' }],
};

export interface Outcome {
	events: ServerSentEvent[];
	/** The content of all deltas. */
	text: string;
	failed: ServerError | undefined;
	strayLines: readonly string[];
}

export const connect = (url: string, settings: Partial<ServerSettings> = {}): Connection =>
	connectTo({ baseUrl: url, ...settings });

export interface AskOptions extends StreamOptions {
	/** As in the options of the chat model. */
	retries?: number;
	/** Called before each wait for a server that is loading or busy. */
	onWait?: (reason: string) => void;
}

/** Waits for a model server as the chat model does, unless told otherwise. */
export const openChat = async (
	connection: Connection,
	{ retries, onWait, ...options }: AskOptions = {},
): Promise<EventStream> => {
	const policy = retryUntilReady(connection, {
		retries,
		firstTokenMs: options.limits?.firstTokenMs,
	});
	return await connection.stream(`${connection.url.api}/chat/completions`, {
		json: CHAT,
		retry: (failed, leftMs) => {
			const next = policy(failed, leftMs);
			if (typeof next === 'number') onWait?.(failed.kind);
			return next;
		},
		...options,
	});
};

/** Reads a stream to its end. Every event counts as content, unless `counts` says otherwise. */
export async function drain(
	stream: EventStream,
	{ counts = () => true }: { counts?: (event: ServerSentEvent) => boolean } = {},
): Promise<Outcome> {
	const events: ServerSentEvent[] = [];
	const failed = await failureOf(async () => {
		for await (const batch of stream.batches) {
			if (batch.some(counts)) stream.content();
			events.push(...batch);
		}
	});
	return { events, text: textOf(events), failed, strayLines: stream.strayLines() };
}

/** Sends a chat and reads the whole answer. */
export async function ask(
	connection: Connection,
	options: AskOptions = {},
	reading?: Parameters<typeof drain>[1],
): Promise<Outcome> {
	let outcome: Outcome = { events: [], text: '', failed: undefined, strayLines: [] };
	const failed = await failureOf(async () => {
		outcome = await drain(await openChat(connection, options), reading);
	});
	return failed === undefined ? outcome : { ...outcome, failed };
}

/** The typed error of something that fails; anything else that is thrown fails the test. */
export async function failureOf(act: () => Promise<unknown>): Promise<ServerError | undefined> {
	const thrown = await act().then(
		() => undefined,
		(error: unknown) => ({ error }),
	);
	if (thrown !== undefined) expect(thrown.error).toBeInstanceOf(ServerError);
	return thrown?.error as ServerError | undefined;
}

export function textOf(events: readonly ServerSentEvent[]): string {
	return events.map(({ data }) => contentOf(data)).join('');
}

function contentOf(data: string): string {
	try {
		const { choices = [] } = JSON.parse(data) as {
			choices?: Array<{ delta?: { content?: string | null }; message?: { content?: string } }>;
		};
		return choices[0]?.delta?.content ?? choices[0]?.message?.content ?? '';
	} catch {
		return '';
	}
}

export const dataOf = (events: readonly ServerSentEvent[]): string[] =>
	events.map(({ data }) => data);
