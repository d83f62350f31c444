import { runTurn } from '../../../lib/chat/turn';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { ChatResult } from '../../../lib/chat/chat-result';
import type { ChatSettings } from '../../../lib/chat/settings';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { Embedder } from '../../../lib/tasks/embed';
import type { EmbedSettings } from '../../../lib/tasks/embed';
import { rerank } from '../../../lib/tasks/rerank';
import type { RerankSettings } from '../../../lib/tasks/rerank';
import { PLAIN_SETTINGS } from '../../lib/chat/chat-settings';
import { toInput, toTool } from '../../support/texts/messages';

export const CAT = 'A cat sits on the mat';
export const KITTEN = 'A kitten is lying on a rug';
export const REVENUE = 'Quarterly revenue grew by ten percent';

export const embeddingsOf = (
	server: ModelServer,
	settings: Partial<EmbedSettings> & { model: string },
) =>
	new Embedder(server, {
		priority: 'interactive',
		prefixes: {},
		longTexts: 'fail',
		blankTexts: 'fail',
		batchSize: 32,
		timeouts: {},
		retries: 3,
		...settings,
	});

export const rerankOf = (
	server: ModelServer,
	settings: Partial<RerankSettings> & { model: string },
) => ({
	rerank: async (query: string, texts: string[]) =>
		await rerank(
			server,
			{
				priority: 'interactive',
				topN: 0,
				scores: 'received',
				longDocuments: 'fail',
				batchSize: 32,
				timeouts: {},
				retries: 3,
				...settings,
			},
			{ query, queryOrigin: 'user', documentOrigin: 'foreign', documents: texts },
		),
});

/** Cosine similarity of two unit vectors. */
export const nearness = (one: number[], other: number[]): number =>
	one.reduce((sum, value, at) => sum + value * other[at]!, 0);

/** Runs a chat and returns its answer with the streamed pieces. */
export async function chat(
	server: ModelServer,
	settings: Partial<ChatSettings> & { model: string },
	call: Partial<ChatRequest> = {},
	onPiece: () => void = () => {},
): Promise<{ pieces: string[]; answer: ChatResult }> {
	const pieces: string[] = [];
	const answer = await runTurn({
		server,
		settings: { ...PLAIN_SETTINGS, ...settings },
		chatRequest: { messages: [toInput({ type: 'human', content: 'Say hello.' })], ...call },
		onDelta: (piece) => {
			pieces.push(piece);
			onPiece();
		},
	});
	return { pieces, answer };
}

export const WEATHER_TOOL = toTool({
	name: 'get_weather',
	schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
});
export const CITY_SCHEMA = {
	type: 'jsonSchema' as const,
	schema: {
		type: 'object',
		properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
		required: ['city'],
		additionalProperties: false,
	},
};
export const asking = (content: string): Pick<ChatRequest, 'messages'> => ({
	messages: [toInput({ type: 'human', content })],
});
