/** Gets one usable response: sends a request, and sends it again as a table of rules says: why, how often, and how changed. */
import type { ServerError, ErrorType } from '../errors/server-error';
import { captureError, createServerError } from '../errors/server-error';
import { maskDeep } from '../errors/mask';
import { request } from '../http/request';
import { toErrorContext } from '../http/request-errors';
import { RetryPolicy } from '../http/retry-policy';
import type { HttpResponse, RequestOptions } from '../http/types';
import { findApiRoot } from '../servers/list-models';
import type { BodyChange, Lessons } from '../servers/profile';
import { getProfile } from '../servers/profile';
import type { ModelServer, RouteName, RoutedTask, ServerType } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import { asRecord } from '../values/records';
import type { Adaptation, AdaptationRule } from './adaptations';
import { applyChanges, findChange, toOtherFormat } from './adaptations';

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

/** Throws the first error that names a cause, with the output received so far. */
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
		const [base, path, streamFormat] = ROUTES[name];
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

type Route = readonly [base: 'api' | 'root', path: string, streamFormat?: 'lines'];

const ROUTES: Record<RouteName, Route> = {
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

/** Requests of one exchange, without the retries of the same bytes in `lib/http`. */
export const MAX_REQUESTS = 8;

/** A route with its URL now. */
interface RouteTarget {
	name: RouteName;
	url: string;
	streamFormat?: 'lines';
}

/** `draft`: the request before a route gives it its form. */
export interface ExchangeRequest<D> {
	route: RouteTarget;
	draft: D;
	changes: readonly BodyChange[];
}

type FinalOutcome<V> =
	| { type: 'completed'; value: V }
	/** `isShown`: output of this attempt has been shown already. */
	| { type: 'failed'; error: ServerError; isShown?: boolean };

/**
 * `unusable`: the server responded, but the model has to correct its output. `withoutCorrection`: the outcome if there is
 * none.
 */
export type Outcome<D, V> =
	| FinalOutcome<V>
	| { type: 'unusable'; correctedDraft: D; withoutCorrection: FinalOutcome<V> };

export type Adaptations = Readonly<Partial<Record<AdaptationRule, readonly Adaptation[]>>>;

/** Plain data, except for the adaptations. */
export interface ExchangeState<D> {
	request: ExchangeRequest<D>;
	/** The body that was sent. */
	body: JsonRecord;
	/** Routes for the task, best first. */
	routes: readonly RouteTarget[];
	/** The URL of the API that the routes are below. */
	apiUrl: string;
	/** URLs that the server does not have. */
	missingUrls: readonly string[];
	adaptations: Adaptations;
	/** Requests sent, the current one included. */
	sent: number;
	/** Rules that were applied, with the change of each. */
	applied: readonly AppliedRule[];
	/** The first error since the server accepted a request. */
	firstError?: ServerError;
}

/** Why a request was sent again. */
export interface AppliedRule {
	rule: RuleName;
	because: string;
}

export type Step<D, V> =
	| { type: 'accept'; value: V }
	| ({ type: 'send'; request: ExchangeRequest<D> } & AppliedRule)
	| { type: 'fail'; error: ServerError };

interface Change<D> {
	request: ExchangeRequest<D>;
	because: string;
}

export type RuleName = AdaptationRule | 'route' | 'unreadable' | 'runaway' | 'correction';

interface Rule {
	name: RuleName;
	/** How often it may act in one exchange. */
	limit: number;
	/** The only error that it is about. */
	errorType?: ErrorType;
	/** The changed request; undefined if there is nothing to change. */
	change<D>(state: ExchangeState<D>, outcome: Outcome<D, unknown>): Change<D> | undefined;
}

/** In this order; the first change is sent. */
export const RULES: readonly Rule[] = [
	{ name: 'route', limit: 3, errorType: 'routeNotFound', change: toOtherRoute },
	{ name: 'field', limit: 7, change: adaptBy('field') },
	{ name: 'format', limit: 2, change: adaptBy('format') },
	{ name: 'conversation', limit: 2, change: adaptBy('conversation') },
	// llama-server discards output that its parser cannot read. With another seed, the next may be valid.
	{ name: 'unreadable', limit: 1, errorType: 'outputParseFailed', change: repeat },
	{ name: 'runaway', limit: 1, errorType: 'runawayOutput', change: changeRunaway },
	{ name: 'correction', limit: 2, change: correct },
];

export function decide<D, V>(state: ExchangeState<D>, outcome: Outcome<D, V>): Step<D, V> {
	if (outcome.type === 'completed') return { type: 'accept', value: outcome.value };
	const step = state.sent < MAX_REQUESTS ? applyRules(state, outcome) : undefined;
	if (step) return step;
	const final = outcome.type === 'unusable' ? outcome.withoutCorrection : outcome;
	return final.type === 'completed'
		? { type: 'accept', value: final.value }
		: { type: 'fail', error: pickMoreSpecificError(state.firstError, final.error) };
}

function applyRules<D, V>(state: ExchangeState<D>, outcome: Outcome<D, V>): Step<D, V> | undefined {
	const isFailed = outcome.type === 'failed';
	// Shown text would appear twice.
	if (isFailed && outcome.isShown) return undefined;
	const error = isFailed ? outcome.error.type : undefined;
	for (const { name, limit, errorType = error, change } of RULES) {
		const isUsedUp = state.applied.filter(({ rule }) => rule === name).length >= limit;
		const changed = !isUsedUp && errorType === error ? change(state, outcome) : undefined;
		if (changed) return { type: 'send', rule: name, ...changed };
	}
	return undefined;
}

/** The state after a step that sends a request, whose body is not built yet. */
export function advance<D, V>(
	{ firstError, ...state }: ExchangeState<D>,
	outcome: Outcome<D, V>,
	{ request, rule, because }: Extract<Step<D, V>, { type: 'send' }>,
): ExchangeState<D> {
	const applied = [...state.applied, { rule, because }];
	const next = { ...state, request, sent: state.sent + 1, applied };
	return outcome.type === 'failed'
		? { ...next, firstError: pickMoreSpecificError(firstError, outcome.error) }
		: next;
}

/** The first error names the cause, unless it is a missing route or the server accepted a changed request since. */
function pickMoreSpecificError(firstError: ServerError | undefined, error: ServerError) {
	const isErrorResponse = (error.status ?? 0) >= 400;
	return firstError && firstError.type !== 'routeNotFound' && isErrorResponse ? firstError : error;
}

function toOtherRoute<D>({ request, routes, missingUrls }: ExchangeState<D>) {
	const route = routes.find(({ url }) => !missingUrls.includes(url));
	const because = `the server has no route ${request.route.name}`;
	return route && { request: { ...request, route }, because };
}

function adaptBy(rule: AdaptationRule): Rule['change'] {
	return ({ request, body, adaptations }, outcome) => {
		if (outcome.type !== 'failed') return undefined;
		const change = findChange(outcome.error, body, adaptations[rule] ?? [], rule);
		return change && withChange(request, change);
	};
}

/** Each change is tried once. */
function withChange<D>(request: ExchangeRequest<D>, change: BodyChange): Change<D> | undefined {
	if (request.changes.some(({ name }) => name === change.name)) return undefined;
	const changes = [...request.changes, change];
	return { request: { ...request, changes }, because: change.name };
}

function repeat<D>({ request, body }: ExchangeState<D>): Change<D> | undefined {
	return isSeedRandom(body) ? { request, because: 'the output was unreadable' } : undefined;
}

function changeRunaway<D>({ request, body }: ExchangeState<D>): Change<D> | undefined {
	const otherFormat = toOtherFormat(body);
	if (otherFormat) return withChange(request, otherFormat);
	const { temperature = asRecord(body.options).temperature } = body;
	const isRandom = isSeedRandom(body) && temperature !== 0;
	return isRandom ? { request, because: 'the output ran away' } : undefined;
}

function isSeedRandom({ seed, options }: JsonRecord) {
	return (seed ?? asRecord(options).seed ?? -1) === -1;
}

function correct<D>({ request }: ExchangeState<D>, outcome: Outcome<D, unknown>) {
	if (outcome.type !== 'unusable') return undefined;
	return {
		request: { ...request, draft: outcome.correctedDraft },
		because: 'a correction was requested',
	};
}
