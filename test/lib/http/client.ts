/** Shared by the transport tests: one chat on a simulator, and its result. */
import { ServerError } from '../../../lib/errors/server-error';
import type { RequestOptions } from '../../../lib/http/types';
import { request } from '../../../lib/http/request';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ResponseLimits } from '../../../lib/task-limits';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { asRecord, asRecords } from '../../../lib/values/records';
import { parseJson } from '../../../lib/values/json';
import { NO_EXECUTION } from '../../support/n8n/node-host';

export const CHAT: {
	model: string;
	stream: boolean;
	messages: {
		role: string;
		content: string;
	}[];
} = {
	model: 'sim-model',
	stream: true,
	messages: [{ role: 'user', content: 'Hi' }],
};

/** The limits of a chat, with other ones in their place. */
export const withLimits = (limits: Partial<ResponseLimits> = {}): ResponseLimits => ({
	...TASK_LIMITS.chat.received,
	...limits,
});

export interface Outcome {
	/** The content of all deltas. */
	text: string;
	error: ServerError | undefined;
}

export const connect = (url: string, settings: Partial<ModelServer> = {}): ModelServer => {
	const { ignoreSslIssues = false } = settings;
	return { ...createModelServer({ baseUrl: url, ignoreSslIssues }, NO_EXECUTION), ...settings };
};

/** Sends a chat request and reads the complete response. */
export async function sendChat(
	server: ModelServer,
	options: Partial<RequestOptions> = {},
): Promise<Outcome> {
	let text = '';
	const error = await getError(async () => {
		const url = `${server.url.api}/chat/completions`;
		text = await request(
			server,
			{ url, json: CHAT, limits: withLimits(), ...options },
			async (response) => {
				const deltas: string[] = [];
				for await (const parts of response.parts()) {
					response.markContent();
					deltas.push(...parts.map(({ text: data }) => getContent(data)));
				}
				return deltas.join('');
			},
		);
	});
	return { text, error };
}

/** Sends a short request. @returns the status of the response */
export async function fetchStatus(
	server: ModelServer,
	url: string,
	options: Partial<RequestOptions> = {},
): Promise<number> {
	const requestOptions = {
		url,
		limits: withLimits(),
		allowErrorStatus: true,
		isIdempotent: true,
		...options,
	};
	return await request(server, requestOptions, async (response) => {
		await response.text();
		return response.status;
	});
}

/** The typed error of something that fails; anything else that is thrown fails the test. */
export async function getError(act: () => Promise<unknown>): Promise<ServerError | undefined> {
	const thrown = await act().then(
		() => undefined,
		(error: unknown) => ({ error }),
	);
	if (thrown !== undefined) expect(thrown.error).toBeInstanceOf(ServerError);
	return thrown?.error as ServerError | undefined;
}

function getContent(data: string): string {
	const [choice] = asRecords(asRecord(parseJson(data)).choices);
	const { content } = asRecord(choice?.delta ?? choice?.message);
	return typeof content === 'string' ? content : '';
}
