/** Shared by the transport tests: one chat on a simulator, and its result. */
import { ServerError } from '../../../lib/errors/server-error';
import type { RequestOptions } from '../../../lib/http/types';
import { request } from '../../../lib/http/request';
import { parseJson } from '../../../lib/json';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { createModelServer } from '../../../lib/servers/model-server';
import { asRecord, asRecords } from '../../../lib/values';

export const CHAT = {
	model: 'sim-model',
	stream: true,
	messages: [{ role: 'user', content: 'Hi' }],
};

export interface Outcome {
	/** The content of all deltas. */
	text: string;
	failed: ServerError | undefined;
}

export const connect = (url: string, settings: Partial<ModelServer> = {}): ModelServer => {
	const { ignoreSslIssues = false } = settings;
	return { ...createModelServer({ baseUrl: url, ignoreSslIssues }), ...settings };
};

/** Sends a chat and reads the whole answer. */
export async function ask(
	server: ModelServer,
	options: Partial<RequestOptions> = {},
): Promise<Outcome> {
	let text = '';
	const failed = await failureOf(async () => {
		const url = `${server.url.api}/chat/completions`;
		text = await request(server, { url, json: CHAT, ...options }, async (answer) => {
			const pieces: string[] = [];
			for await (const events of answer.events()) {
				answer.markContent();
				pieces.push(...events.map(contentOf));
			}
			return pieces.join('');
		});
	});
	return { text, failed };
}

/** A short question. @returns the status of the answer */
export async function statusOf(
	server: ModelServer,
	url: string,
	options: Partial<RequestOptions> = {},
): Promise<number> {
	const question = { url, allowErrorStatus: true, isIdempotent: true, ...options };
	return await request(server, question, async (answer) => {
		await answer.text();
		return answer.status;
	});
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

function contentOf(data: string): string {
	const [choice] = asRecords(asRecord(parseJson(data)).choices);
	const { content } = asRecord(choice?.delta ?? choice?.message);
	return typeof content === 'string' ? content : '';
}
