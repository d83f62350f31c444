/** Gets one usable response: sends a request, and sends it again as a table of rules says: why, how often, and how changed. */
import { asServerErrorOrThrow } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import { maskDeep } from '../errors/mask';
import { getWrittenSecrets, withoutSent } from '../errors/secrets';
import { request } from '../http/request';
import { hasFiles } from '../http/sent-files';
import { toErrorContext } from '../http/request-errors';
import type { Waits } from '../http/retry-policy';
import { RetryPolicy } from '../http/retry-policy';
import type { RequestOptions } from '../http/types';
import { fetchApiRoot } from '../servers/list-models';
import { getProfile } from '../servers/profile';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import { applyChanges } from './body-changes';
import type { Attempt, RoutedDraft, PartialOutput } from './attempt';
import type { LessonStore } from './lessons';
import {
	forgetUnconfirmedRoot,
	openLessonStore,
	readLastingFailure,
	storeLastingFailure,
	storeLessons,
} from './lessons';
import { BUSY_WARNING, describeOvercomeFailure, withOpenTime } from './server-failure';
import { ROUTES } from './routes';
import type { RouteTarget } from './routes';
import type { AttemptOutcome, Adaptations, ExchangeState, AppliedRule } from './types';
import { advance, decide, isRouteMissing } from './rules';
import { SharedSearch } from './shared-search';

/** What an exchange needs to know. */
export interface ExchangeOptions<D, V> {
	/** What the server teaches applies to later requests with the same scope and model. */
	learningScope: string;
	/** Best first. */
	routes: readonly RouteName[];
	/** The first request, before a route gives it its form. */
	draft: D;
	/** Begins an attempt. The first one is followed by those that the rules require. */
	startAttempt(routedDraft: RoutedDraft<D>): Attempt<D, V>;
	/**
	 * Whether a request on which the server failed is sent once more. Default: true. False where its parts are sent anew, as
	 * those of a batch.
	 */
	isRepeatable?: boolean;
	/** Milliseconds after which a failure is too expensive to be repeated. Default: none. */
	maxElapsedMs?: number;
	/** Changes that the server may require. Default: none. */
	adaptations?: Adaptations;
	/** What all requests have in common. */
	http: CommonHttpOptions;
}

/** Options of `lib/http` that do not depend on the attempt. */
export type CommonHttpOptions = Omit<
	RequestOptions,
	'url' | 'json' | 'upload' | 'streamFormat' | 'retryPolicy'
>;

/** A usable response. */
export interface ExchangeResult<D, V> {
	value: V;
	/** Draft and route of the request that got it. */
	draft: D;
	route: RouteName;
	/** Its body as sent, with what the server taught. */
	body: JsonRecord;
	/** Fields of the draft that are not in it. */
	omittedFields: readonly string[];
	/** Warnings about changes of options that the user set. */
	warnings: string[];
	/** Why the request was sent more than once. */
	appliedRules: readonly AppliedRule[];
	/** How often it was sent again after a pause. */
	waits: Readonly<Waits>;
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
	const { http, learningScope } = options;
	const { model, maxRetries, isIdempotent } = http;
	const busyKey = JSON.stringify([server.id, model]);
	const retryPolicy = new RetryPolicy({ maxRetries, isIdempotent, busyKey });
	const store = openLessonStore(server, { learningScope, model });
	const search = new SharedSearch(store, http);
	try {
		return await sendUntilUsable(server, options, { store, retryPolicy, search });
	} finally {
		search.onEnd();
	}
}

/** What all requests of an exchange share. */
interface ExchangeParts {
	store: LessonStore;
	/** One budget for all attempts. */
	retryPolicy: RetryPolicy;
	search: SharedSearch;
}

async function sendUntilUsable<D, V>(
	server: ModelServer,
	options: ExchangeOptions<D, V>,
	{ store, retryPolicy, search }: ExchangeParts,
): Promise<ExchangeResult<D, V>> {
	const { http } = options;
	const { model, signal } = http;
	let state = createState(server, options, store);
	let partialOutput: Partial<PartialOutput> = {};
	for (;;) {
		const { draft, route, changes } = state.request;
		const attempt = options.startAttempt({ draft, route: route.name });
		const draftBody = attempt.toBody();
		const { body, warnings } = applyChanges(draftBody, changes);
		state = { ...state, body, textsOfOthers: attempt.getTextsOfOthers(body) };
		const outcome = await sendAttempt(server, attempt, { http, state, retryPolicy, search });
		if (outcome.type === 'failed') {
			forgetUnconfirmedRoot(store, state, outcome.error);
			if (isRouteMissing(outcome)) state = await withoutMissingRoute(server, options, state);
		} else {
			storeLessons(store, state);
		}
		search.onOutcome(outcome, changes);
		storeLastingFailure(store, state, outcome);
		state = {
			...state,
			lastingFailure: readLastingFailure(store, retryPolicy),
			requestCount: retryPolicy.requestCount,
		};
		const decideAgain = () =>
			decide({ ...state, lastingFailure: readLastingFailure(store, retryPolicy) }, outcome);
		const step = await search.share({ state, outcome, step: decide(state, outcome), decideAgain });
		const { appliedRules, serverFailure } = state;
		if (step.type === 'accept') {
			// Otherwise another form of the history was accepted, which has its own warning.
			const isOvercome = !appliedRules.some(({ rule }) => rule === 'strictForm');
			if (serverFailure && isOvercome) warnings.push(describeOvercomeFailure(serverFailure));
			const { waits } = retryPolicy;
			if (waits.busy > 0) warnings.push(BUSY_WARNING);
			const omittedFields = Object.keys(draftBody).filter((field) => !Object.hasOwn(body, field));
			const sent = { draft, route: route.name, body, omittedFields };
			return { ...sent, value: step.value, warnings, appliedRules, waits };
		}
		const secrets = getWrittenSecrets(withoutSent(server.secrets, body));
		partialOutput = maskDeep(getSomeOutput(attempt), secrets) ?? partialOutput;
		if (signal?.aborted) {
			const context = toErrorContext(server, { url: server.getApiUrl(), model });
			throw createServerError('aborted', context).withPartial(partialOutput);
		}
		if (step.type === 'fail') {
			const error =
				step.error === serverFailure ? step.error.copyWith({ wasSentTwice: true }) : step.error;
			throw error.withPartial(partialOutput);
		}
		state = advance(state, outcome, step);
	}
}

/** Undefined without output, so that the output of an earlier attempt stays. */
function getSomeOutput(attempt: Attempt<unknown, unknown>): PartialOutput | undefined {
	const output = attempt.getPartialOutput?.();
	if (output === undefined) return undefined;
	const { text, reasoning, toolCalls = [] } = output;
	return toolCalls.length > 0 || (text + reasoning).trim() !== '' ? output : undefined;
}

function createState<D>(
	server: ModelServer,
	{ routes: names, draft, adaptations = {}, ...options }: ExchangeOptions<D, unknown>,
	{ changes, routes: { missingUrls, apiUrl = server.getApiUrl() } }: LessonStore,
): ExchangeState<D> {
	const routes = getTargets(server, names, apiUrl);
	const route = routes.find(({ url }) => !missingUrls.includes(url)) ?? routes[0]!;
	return {
		request: { route, draft, changes },
		body: {},
		textsOfOthers: [],
		routes,
		apiUrl,
		missingUrls: [],
		adaptations,
		requestCount: 0,
		appliedRules: [],
		limits: {
			retries: options.http.maxRetries ?? 0,
			isRepeatable: options.isRepeatable !== false,
			maxElapsedMs: options.maxElapsedMs,
		},
		lastingFailure: undefined,
	};
}

function getTargets(server: ModelServer, routes: readonly RouteName[], apiUrl: string) {
	const addresses = { ...server.url, api: apiUrl };
	return routes.map((name): RouteTarget => {
		const { base, path, streamFormat } = ROUTES[name];
		return { name, url: addresses[base] + path, streamFormat };
	});
}

/** How an attempt is sent. */
interface SendOptions<D> {
	http: CommonHttpOptions;
	state: ExchangeState<D>;
	retryPolicy: RetryPolicy;
	search: SharedSearch;
}

async function sendAttempt<D, V>(
	server: ModelServer,
	attempt: Attempt<D, V>,
	{ http, state, retryPolicy, search }: SendOptions<D>,
): Promise<AttemptOutcome<D, V>> {
	const { url, streamFormat } = state.request.route;
	const { textsOfOthers } = state;
	const content = attempt.toContent?.(state.body) ?? { json: state.body };
	const getShownLength = () => attempt.getShownLength?.() ?? 0;
	const shownLength = getShownLength();
	return await request(
		server,
		{
			...http,
			...content,
			url,
			streamFormat,
			retryPolicy,
			textsOfOthers,
			isWritten: true,
			waitedMs: search.takeWaitedMs(),
			onSend: () => search.onSend(state.request.changes),
		},
		async (response) => {
			getProfile(server).forgetContradictedType({ headers: response.headers });
			const markContent = () => {
				search.onAccepted(state.request.changes);
				response.markContent();
			};
			return await attempt.receiveOutcome({ ...response, markContent }, state.body);
		},
	).catch((error: unknown): AttemptOutcome<D, V> => {
		const hasShownOutput = getShownLength() > shownLength;
		const { elapsedMs } = retryPolicy;
		return {
			type: 'failed',
			error: withOpenTime(asServerErrorOrThrow(error), elapsedMs),
			elapsedMs,
			hasShownOutput,
			hasEverShownOutput: getShownLength() > 0,
			hasOutput: getSomeOutput(attempt) !== undefined,
			hasFiles: hasFiles(content),
		};
	});
}

/** The state without the route that is missing. If no other is left, probes whether the API is at another URL. */
async function withoutMissingRoute<D>(
	server: ModelServer,
	{ routes: names, http }: ExchangeOptions<D, unknown>,
	state: ExchangeState<D>,
): Promise<ExchangeState<D>> {
	const { url } = state.request.route;
	// Its repetition is not a reason to look for another one again.
	if (state.missingUrls.includes(url)) return state;
	const missingUrls = [...state.missingUrls, url];
	const hasOther = state.routes.some(({ url }) => !missingUrls.includes(url));
	if (hasOther) return { ...state, missingUrls };
	const found = await fetchApiRoot(server, { signal: http.signal }).catch(() => undefined);
	if (found === undefined) return { ...state, missingUrls };
	const { list, apiUrl } = found;
	getProfile(server).learnType(list);
	return { ...state, missingUrls, apiUrl, routes: getTargets(server, names, apiUrl) };
}
