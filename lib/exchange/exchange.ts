/** Gets one usable response: sends a request, and sends it again as a table of rules says: why, how often, and how changed. */
import type { ServerError } from '../errors/server-error';
import { captureError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import { maskDeep } from '../errors/mask';
import { request } from '../http/request';
import { toErrorContext } from '../http/request-errors';
import { RetryPolicy } from '../http/retry-policy';
import type { HttpResponse, RequestOptions } from '../http/types';
import { findApiRoot } from '../servers/list-models';
import type { Lessons } from '../servers/profile';
import { getProfile } from '../servers/profile';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import { applyChanges } from './adaptations';
import { ROUTES } from './routes';
import type { RouteTarget } from './routes';
import type { Outcome, Adaptations, ExchangeState, AppliedRule } from './types';
import { decide, advance } from './rules';

export interface ExchangeOptions<D, V> extends Omit<
	RequestOptions,
	'url' | 'json' | 'streamFormat' | 'retryPolicy'
> {
	/** What the server teaches applies to later requests with the same scope and model. */
	learningScope: string;
	/** Best first. */
	routes: readonly RouteName[];
	draft: D;
	toBody(draft: D, route: RouteName): JsonRecord;
	/** How the body is sent. Default: as JSON. */
	toContent?(body: JsonRecord): Pick<RequestOptions, 'json' | 'upload'>;
	adaptations?: Adaptations;
	/** Reads a response. It may be called again for the same request, so it must not keep state between calls. */
	read(response: HttpResponse, sent: { draft: D; route: RouteName }): Promise<Outcome<D, V>>;
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

/**
 * Sends a request until a response is usable, or no rule applies any more.
 *
 * @throws {ServerError} the first error that names a cause, with the output received so far
 */
export async function exchange<D, V>(
	server: ModelServer,
	options: ExchangeOptions<D, V>,
): Promise<ExchangeResult<D, V>> {
	const { model, signal } = options;
	const task = JSON.stringify([options.learningScope, model]);
	const retryPolicy = new RetryPolicy(options.maxRetries, options.isIdempotent);
	const lessons = getProfile(server).getLessons(task);
	let state = createState(server, options, lessons);
	let partial: { text?: string; reasoning?: string } = {};
	for (;;) {
		const { draft, route, changes } = state.request;
		const { body, warnings } = applyChanges(options.toBody(draft, route.name), changes);
		state = { ...state, body };
		const outcome = await sendAttempt(server, options, state, retryPolicy);
		if (outcome.type === 'failed') {
			forgetRoot(server, task, lessons, state, outcome.error);
			state = await updateRoutes(server, options, state, outcome.error);
		} else learn(server, task, lessons, state);
		const step = decide(state, outcome);
		if (step.type === 'accept')
			return { value: step.value, draft, route: route.name, warnings, applied: state.applied };
		partial = maskDeep(getPartial(options), server.secrets) ?? partial;
		if (signal?.aborted) {
			const context = toErrorContext(server, server.getApiUrl(), model);
			throw createServerError('aborted', context).withPartial(partial);
		}
		if (step.type === 'fail') throw step.error.withPartial(partial);
		options.onResend?.();
		state = advance(state, outcome, step);
	}
}

/** Undefined without output, so that the output of an earlier attempt stays. */
function getPartial({ getPartial: get }: ExchangeOptions<unknown, unknown>) {
	const partial = get?.();
	return partial && (partial.text + partial.reasoning).trim() !== '' ? partial : undefined;
}

function createState<D>(
	server: ModelServer,
	{ routes: names, draft, adaptations = {} }: ExchangeOptions<D, unknown>,
	{ changes, missingUrls, apiUrl = server.getApiUrl() }: Lessons,
): ExchangeState<D> {
	const routes = getTargets(server, names, apiUrl);
	const route = routes.find(({ url }) => !missingUrls.includes(url)) ?? routes[0]!;
	const request = { route, draft, changes };
	return { request, body: {}, routes, apiUrl, missingUrls: [], adaptations, sent: 1, applied: [] };
}

function getTargets(server: ModelServer, routes: readonly RouteName[], apiUrl: string) {
	const addresses = { ...server.url, api: apiUrl };
	return routes.map((name): RouteTarget => {
		const { base, path, streamFormat } = ROUTES[name];
		return { name, url: addresses[base] + path, streamFormat };
	});
}

async function sendAttempt<D, V>(
	server: ModelServer,
	options: ExchangeOptions<D, V>,
	{ request: { route, draft }, body }: ExchangeState<D>,
	retryPolicy: RetryPolicy,
): Promise<Outcome<D, V>> {
	const { toContent = (json) => ({ json }), read, getShownLength = () => 0 } = options;
	const { name, url, streamFormat } = route;
	const shownLength = getShownLength();
	return await request(
		server,
		{ ...options, ...toContent(body), url, streamFormat, retryPolicy },
		async (response) => await read(response, { draft, route: name }),
	).catch((error: unknown): Outcome<D, V> => {
		const isShown = getShownLength() > shownLength;
		return { type: 'failed', error: captureError(error), isShown };
	});
}

/** After a missing route. If the server has none of them, the API may be at another URL. */
async function updateRoutes<D>(
	server: ModelServer,
	{ routes: names, signal }: ExchangeOptions<D, unknown>,
	state: ExchangeState<D>,
	{ type }: ServerError,
): Promise<ExchangeState<D>> {
	if (type !== 'routeNotFound') return state;
	const missingUrls = [...state.missingUrls, state.request.route.url];
	const hasOther = state.routes.some(({ url }) => !missingUrls.includes(url));
	if (hasOther) return { ...state, missingUrls };
	const found = await findApiRoot(server, '', signal).catch(() => undefined);
	if (found === undefined) return { ...state, missingUrls };
	const { list, apiUrl } = found;
	getProfile(server).learnType(list);
	return { ...state, missingUrls, apiUrl, routes: getTargets(server, names, apiUrl) };
}

/**
 * The API may be at the Base URL again, unless the server read the request: a gateway that restarts sends its requests
 * elsewhere for a moment.
 */
function forgetRoot(
	server: ModelServer,
	task: string,
	lessons: Lessons,
	{ apiUrl }: ExchangeState<unknown>,
	{ rejection }: ServerError,
) {
	if (apiUrl === server.url.api || [400, 422].includes(rejection?.status ?? 0)) return;
	getProfile(server).forgetApiRoot();
	if (lessons.apiUrl === undefined) return;
	getProfile(server).storeLessons(task, { ...lessons, apiUrl: undefined });
}

/** Stores what a response taught. A response that teaches nothing new does not prolong the entry, so it expires. */
function learn(
	server: ModelServer,
	task: string,
	lessons: Lessons,
	{ request, missingUrls, apiUrl }: ExchangeState<unknown>,
) {
	const changes = request.changes.filter(({ isTemporary }) => isTemporary !== true);
	if (changes.length === lessons.changes.length && missingUrls.length === 0) return;
	getProfile(server).storeLessons(task, {
		changes,
		missingUrls: missingUrls.length > 0 ? missingUrls : lessons.missingUrls,
		apiUrl: apiUrl === server.getApiUrl() ? undefined : apiUrl,
	});
}
