import { ChatClient } from '../../../lib/chat/client';
import type { FinishedAnswer } from '../../../lib/chat/types';
import type { ChatCall, ChatSettings } from '../../../lib/chat/request/request';
import { TurnMemory } from '../../../lib/chat/answer/turn-memory';
import type { ServerError } from '../../../lib/errors/server-error';
import type { Connection } from '../../../lib/http/connection';
import { serverOf } from '../../../lib/servers/server';
import { Embedder, type EmbedSettings } from '../../../lib/tasks/embed';
import { rerank, type RerankSettings } from '../../../lib/tasks/rerank';
import { PLAIN_SETTINGS } from '../../lib/chat/chat-settings';

export const CAT = 'A cat sits on the mat';
export const KITTEN = 'A kitten is lying on a rug';
export const REVENUE = 'Quarterly revenue grew by ten percent';

export const embeddingsOf = (
	server: Connection,
	settings: Partial<EmbedSettings> & { model: string },
) =>
	new Embedder(serverOf({ baseUrl: server.url.api }), {
		priority: 'person',
		prefixes: {},
		longTexts: 'fail',
		blankTexts: 'refuse',
		batchSize: 32,
		limits: {},
		retries: 3,
		...settings,
	});

export const rerankOf = (
	server: Connection,
	settings: Partial<RerankSettings> & { model: string },
) => ({
	rerank: async (query: string, texts: string[]) =>
		await rerank(
			serverOf({ baseUrl: server.url.api }),
			{
				priority: 'person',
				topN: 0,
				scores: 'received',
				longDocuments: 'fail',
				batchSize: 32,
				instruction: '',
				limits: {},
				retries: 3,
				...settings,
			},
			query,
			texts,
		),
});

/** Cosine similarity of two unit vectors. */
export const nearness = (one: number[], other: number[]): number =>
	one.reduce((sum, value, at) => sum + value * other[at]!, 0);

/** Runs a chat and returns its answer with the streamed pieces. */
export async function chat(
	server: Connection,
	settings: Partial<ChatSettings> & { model: string },
	call: Partial<ChatCall> = {},
): Promise<{ pieces: string[]; answer: FinishedAnswer }> {
	const client = new ChatClient(
		server,
		{ ...PLAIN_SETTINGS, ...settings },
		undefined,
		new TurnMemory(),
	);
	const answer = client.generate({ messages: [{ type: 'human', content: 'Say hello.' }], ...call });
	const pieces: string[] = [];
	for (;;) {
		const { done, value } = await answer.next();
		if (done === true) return { pieces, answer: value };
		pieces.push(value);
	}
}

export const WEATHER_TOOL = {
	name: 'get_weather',
	parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
export const CITY_SCHEMA = {
	type: 'jsonSchema' as const,
	schema: {
		type: 'object',
		properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
		required: ['city'],
		additionalProperties: false,
	},
};
export const asking = (content: string): Pick<ChatCall, 'messages'> => ({
	messages: [{ type: 'human', content }],
});

/** A chat whose server is killed at the first piece. */
export async function killedInMidAnswer(
	server: Connection,
	{ model, kill }: { model: string; kill: () => Promise<void> },
): Promise<ServerError> {
	return await endedInMidAnswer(server, { ...PLAIN_SETTINGS, model }, kill);
}

/** A chat that is stopped at the first piece. */
export async function stoppedInMidAnswer(
	server: Connection,
	settings: Partial<ChatSettings> & { model: string },
): Promise<ServerError> {
	const stop = new AbortController();
	const end = async () => stop.abort();
	return await endedInMidAnswer(server, { ...PLAIN_SETTINGS, ...settings }, end, stop.signal);
}

async function endedInMidAnswer(
	server: Connection,
	settings: ChatSettings,
	end: () => Promise<void>,
	signal?: AbortSignal,
): Promise<ServerError> {
	const client = new ChatClient(server, settings, undefined, new TurnMemory());
	const answer = client.generate({ ...asking('Tell a story.'), signal });
	await answer.next();
	await end();
	const rest = async () => {
		for (;;) {
			const { done, value } = await answer.next();
			if (done === true) return value;
		}
	};
	return await failureOf(rest());
}

export const failureOf = async (promise: Promise<unknown>): Promise<ServerError> =>
	await promise.then(
		(value) => {
			throw new Error(`no failure: ${JSON.stringify(value)}`);
		},
		(error: unknown) => error as ServerError,
	);
