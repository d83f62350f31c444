/** Routes of model servers by task. */
import type { RouteName, RoutedTask, ServerType } from '../servers/types/server-type';

/** Where a route is, and how its responses are streamed. */
interface Route {
	/** What the path is added to: the URL of the API (`…/v1`), or the root of the server. */
	base: 'api' | 'root';
	path: string;
	/** How events are separated. Default: server-sent events. */
	streamFormat?: 'lines';
}

/** Every route, by its name. */
export const ROUTES: Readonly<Record<RouteName, Route>> = {
	openAiChat: { base: 'api', path: '/chat/completions' },
	ollamaChat: { base: 'root', path: '/api/chat', streamFormat: 'lines' },
	openAiCompletions: { base: 'api', path: '/completions' },
	ollamaGenerate: { base: 'root', path: '/api/generate', streamFormat: 'lines' },
	openAiEmbeddings: { base: 'api', path: '/embeddings' },
	ollamaEmbed: { base: 'root', path: '/api/embed' },
	rerank: { base: 'api', path: '/rerank' },
	// TEI
	rootRerank: { base: 'root', path: '/rerank' },
	transcriptions: { base: 'api', path: '/audio/transcriptions' },
	translations: { base: 'api', path: '/audio/translations' },
	speech: { base: 'api', path: '/audio/speech' },
	images: { base: 'api', path: '/images/generations' },
	imageEdits: { base: 'api', path: '/images/edits' },
	systemOne: { base: 'api', path: '/systemone' },
};

/** For server types that do not list their routes of a task. */
const DEFAULT_ROUTES: Record<RoutedTask, readonly RouteName[]> = {
	chat: ['openAiChat'],
	complete: ['openAiCompletions'],
	embed: ['openAiEmbeddings'],
	rerank: ['rerank', 'rootRerank'],
};

/** The routes of a server type for a task, best first. */
export function getRoutes({ routes }: ServerType, routedTask: RoutedTask): readonly RouteName[] {
	return routes?.[routedTask] ?? DEFAULT_ROUTES[routedTask];
}

/** A route with its URL now. */
export interface RouteTarget {
	name: RouteName;
	url: string;
	/** How events are separated. Default: server-sent events. */
	streamFormat?: 'lines';
}
