/** Gets one usable response: sends a request, and sends it again as the rules of `decide.ts` say. */
import { createServerError } from '../errors/create-error';
import { captureError, type ServerError } from '../errors/server-error';
import { request } from '../http/request';
import { toErrorContext, toResponseError, RetryPolicy } from '../http/request-errors';
import type { HttpResponse, RequestOptions } from '../http/types';
import { listModels } from '../servers/list-models';
import { getProfile, type Lessons } from '../servers/profile';
import type { ModelServer, RouteName, RoutedTask, ServerType } from '../servers/types/server-type';
import type { JsonRecord } from '../values';
import { applyChanges } from './adaptations';
import {
	type Adaptations,
	advance,
	type AppliedRule,
	decide,
	type ExchangeState,
	type Outcome,
} from './decide';

export interface ExchangeOptions<D, V>
	extends Omit<RequestOptions, 'url' | 'json' | 'streamFormat' | 'retryPolicy'> {
	/** What the server teaches applies to later requests with the same scope and model. */
	learningScope: string;
	/** Best first. */
	routes: readonly RouteName[];
	draft: D;
	toBody(draft: D, route: RouteName): JsonRecord;
	/** How the body is sent. Default: as JSON. */
	toContent?(body: JsonRecord): Pick<RequestOptions, 'json' | 'upload'>;
	adaptations?: Adaptations;
	/**
	 * Reads a response. It may be called again for the same request, so it must not keep state between calls.
	 *
	 * @param toError converts an error text inside a response
	 */
	read(
		response: HttpResponse,
		sent: { draft: D; route: RouteName },
		toError: (text: string) => ServerError,
	): Promise<Outcome<D, V>>;
	/** Output of the last attempt that got any. */
	getPartial?(): { text: string; reasoning: string } | undefined;
	/** Length of the output shown until now: a request is not sent again after output of its attempt was shown. */
	getShownLength?(): number;
	/** Called before a changed or repeated request. */
	onResend?(): void;
}

export interface ExchangeResult<D, V> {
	value: V;
	/** Draft and route of the request that got it. */
	draft: D;
	route: RouteName;
	/** Warnings about changes of options that the user set. */
	warnings: string[];
	/** Why the request was sent more than once. */
	applied: readonly AppliedRule[];
}

/** @throws {ServerError} the first error that names a cause, with the output received so far */
export async function exchange<D, V>(
	server: ModelServer,
	options: ExchangeOptions<D, V>,
): Promise<ExchangeResult<D, V>> {
	const { model = '', maxRetries = 0, isIdempotent = false, signal } = options;
	const task = JSON.stringify([options.learningScope, model]);
	const retryPolicy = new RetryPolicy(maxRetries, isIdempotent);
	const lessons = getProfile(server).getLessons(task);
	let state = createState(server, options, lessons);
	let partial: { text?: string; reasoning?: string } = {};
	for (;;) {
		const outcome = await sendAttempt(server, options, state, retryPolicy);
		state = await updateRoutes(server, options, state, outcome);
		if (outcome.type !== 'failed') learn(server, task, lessons, state);
		const step = decide(state, outcome);
		if (step.type === 'accept') {
			const { request: sent, warnings, applied } = state;
			return { value: step.value, draft: sent.draft, route: sent.route, warnings, applied };
		}
		partial = getPartial(options) ?? partial;
		if (signal?.aborted) {
			const context = toErrorContext(server, server.getApiUrl(), model);
			throw createServerError('aborted', context).withPartial(partial);
		}
		if (step.type === 'fail') throw step.error.withPartial(partial);
		options.onResend?.();
		state = withBody(options, advance(state, outcome, step));
	}
}

/** Undefined without output, so that the output of an earlier attempt stays. */
function getPartial({ getPartial: get }: ExchangeOptions<unknown, unknown>) {
	const partial = get?.();
	const hasText = partial !== undefined && (partial.text + partial.reasoning).trim() !== '';
	return hasText ? partial : undefined;
}

function createState<D>(
	server: ModelServer,
	options: ExchangeOptions<D, unknown>,
	{ changes, missingUrls }: Lessons,
): ExchangeState<D> {
	const routes = getTargets(server, options.routes);
	const { name: route } = routes.find(({ url }) => !missingUrls.includes(url)) ?? routes[0]!;
	return withBody(options, {
		request: { route, draft: options.draft, changes },
		routes,
		missingUrls: [],
		adaptations: options.adaptations ?? {},
		sent: 1,
		applied: [],
	});
}

function getTargets(
	server: ModelServer,
	routes: readonly RouteName[],
): ExchangeState<unknown>['routes'] {
	const addresses = { ...server.url, api: server.getApiUrl() };
	return routes.map((name) => {
		const [base, path, streamFormat] = ROUTES[name];
		return { name, url: addresses[base] + path, streamFormat };
	});
}

function withBody<D>(
	{ toBody }: ExchangeOptions<D, unknown>,
	state: Omit<ExchangeState<D>, 'body' | 'warnings'>,
): ExchangeState<D> {
	const { route, draft, changes } = state.request;
	return { ...state, ...applyChanges(toBody(draft, route), changes) };
}

async function sendAttempt<D, V>(
	server: ModelServer,
	options: ExchangeOptions<D, V>,
	{ request: { route, draft }, body, routes }: ExchangeState<D>,
	retryPolicy: RetryPolicy,
): Promise<Outcome<D, V>> {
	const { toContent = (json) => ({ json }), read, getShownLength = () => 0 } = options;
	const { url, streamFormat } = routes.find(({ name }) => name === route)!;
	const requestOptions: RequestOptions = {
		...options,
		...toContent(body),
		url,
		streamFormat,
		retryPolicy,
	};
	const shownLength = getShownLength();
	return await request(server, requestOptions, async (response) => {
		return await read(response, { draft, route }, (text) =>
			toResponseError(server, requestOptions, { ...response, text }),
		);
	}).catch((error: unknown): Outcome<D, V> => {
		const isShown = getShownLength() > shownLength;
		return { type: 'failed', error: captureError(error), isShown };
	});
}

/** After a missing route. If the server has none of them, listing the models may find its API at another URL. */
async function updateRoutes<D>(
	server: ModelServer,
	{ routes, signal }: ExchangeOptions<D, unknown>,
	state: ExchangeState<D>,
	outcome: Outcome<D, unknown>,
) {
	if (outcome.type !== 'failed' || outcome.error.type !== 'routeNotFound') return state;
	const { url } = state.routes.find(({ name }) => name === state.request.route)!;
	const missingUrls = [...state.missingUrls, url];
	const hasOther = state.routes.some((target) => !missingUrls.includes(target.url));
	if (!hasOther) await listModels(server, signal).catch(() => {});
	return { ...state, missingUrls, routes: getTargets(server, routes) };
}

/** Stores what a response taught. A response that teaches nothing new does not prolong the entry, so it expires. */
function learn(
	server: ModelServer,
	task: string,
	lessons: Lessons,
	{ request, missingUrls }: ExchangeState<unknown>,
) {
	const changes = request.changes.filter(({ isTemporary }) => isTemporary !== true);
	if (changes.length === lessons.changes.length && missingUrls.length === 0) return;
	getProfile(server).storeLessons(task, {
		changes,
		missingUrls: missingUrls.length > 0 ? missingUrls : lessons.missingUrls,
	});
}

type Route = readonly [base: 'api' | 'root', path: string, streamFormat?: 'lines'];

const ROUTES: Readonly<Record<RouteName, Route>> = {
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
