/** Routes of model servers by task. */
import type { RouteName, RoutedTask, ServerType } from '../servers/types/server-type';

type Route = readonly [base: 'api' | 'root', path: string, streamFormat?: 'lines'];

export const ROUTES: Record<RouteName, Route> = {
	openAiChat: ['api', '/chat/completions'],
	ollamaChat: ['root', '/api/chat', 'lines'],
	openAiCompletions: ['api', '/completions'],
	ollamaGenerate: ['root', '/api/generate', 'lines'],
	openAiEmbeddings: ['api', '/embeddings'],
	ollamaEmbed: ['root', '/api/embed'],
	rerank: ['api', '/rerank'],
	// TEI
	rootRerank: ['root', '/rerank'],
	transcriptions: ['api', '/audio/transcriptions'],
	translations: ['api', '/audio/translations'],
	speech: ['api', '/audio/speech'],
	images: ['api', '/images/generations'],
};

/** For server types that do not list their routes of a task. */
const DEFAULT_ROUTES: Record<RoutedTask, readonly RouteName[]> = {
	chat: ['openAiChat'],
	complete: ['openAiCompletions'],
	embed: ['openAiEmbeddings'],
	rerank: ['rerank', 'rootRerank'],
};

/** The routes of a server type for a task, best first. */
export function getRoutes({ routes }: ServerType, task: RoutedTask): readonly RouteName[] {
	return routes?.[task] ?? DEFAULT_ROUTES[task];
}

/** A route with its URL now. */
export interface RouteTarget {
	name: RouteName;
	url: string;
	streamFormat?: 'lines';
}
