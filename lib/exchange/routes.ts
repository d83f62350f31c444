/** The routes of model servers. Each server type lists those that it has for a task, best first. */
import type { RequestOptions, ServerAddress } from '../http/types';
import type { RouteName, RoutedTask, ServerType } from '../servers/types/server-type';

interface Route extends Pick<RequestOptions, 'streamFormat'> {
	getUrl(address: ServerAddress): string;
}

export const ROUTES: Readonly<Record<RouteName, Route>> = {
	openAiChat: { getUrl: ({ api }) => `${api}/chat/completions` },
	ollamaChat: { getUrl: ({ root }) => `${root}/api/chat`, streamFormat: 'lines' },
	openAiCompletions: { getUrl: ({ api }) => `${api}/completions` },
	ollamaGenerate: { getUrl: ({ root }) => `${root}/api/generate`, streamFormat: 'lines' },
	openAiEmbeddings: { getUrl: ({ api }) => `${api}/embeddings` },
	ollamaEmbed: { getUrl: ({ root }) => `${root}/api/embed` },
	rerank: { getUrl: ({ api }) => `${api}/rerank` },
	// TEI
	rootRerank: { getUrl: ({ root }) => `${root}/rerank` },
	transcriptions: { getUrl: ({ api }) => `${api}/audio/transcriptions` },
	translations: { getUrl: ({ api }) => `${api}/audio/translations` },
	speech: { getUrl: ({ api }) => `${api}/audio/speech` },
	images: { getUrl: ({ api }) => `${api}/images/generations` },
};

const DEFAULT_ROUTES: Readonly<Record<RoutedTask, readonly RouteName[]>> = {
	chat: ['openAiChat'],
	complete: ['openAiCompletions'],
	embed: ['openAiEmbeddings'],
	rerank: ['rerank', 'rootRerank'],
};

/** The routes of a server type for a task, best first. */
export function getRoutes({ routes }: ServerType, task: RoutedTask): readonly RouteName[] {
	return routes?.[task] ?? DEFAULT_ROUTES[task];
}
