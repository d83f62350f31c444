import type { Connection } from '../http/connection';
import type { ConnectionSettings } from '../http/types';
import { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import { isLoopback, seconds } from '../errors/remedies';
import { learnRoot } from '../servers/connect';
import { knownServerKind } from '../servers/identify';
import { traitsOf } from '../servers/kinds';
import { isModelNamed } from '../servers/model-names';
import type { Alternative, Expectations, ModelProbes, Observations, Probe, ProbeName } from './observations';
import { bodyOf, healthPathOf, listOf, modelsIn, serverOf, traitsOfServer } from './answers';
import { mustAskWithoutKey } from './key';
import { ask, describeFailure, elapsed } from './probe';
import { optional, messageOf } from '../values';

/** How to reach what is checked. */
export interface Target {
	service: Observations['service'];
	/** @throws {ServerError} where the address or the key cannot be used at all */
	connect(more: Pick<ConnectionSettings, 'connectLimitMs'>): Connection;
	/** A connection without any key to another address, under the same network rules. */
	connectElsewhere(baseUrl: string, more: Pick<ConnectionSettings, 'connectLimitMs'>): Connection;
	keySet: boolean;
	authentication: Observations['authentication'];
	maxConcurrentRequests: number;
	keyType?: Observations['keyType'];
	/** The name that a model has there, where that is not the one that nodes ask for. */
	modelNamed?(asked: string): string;
	/** The further servers of the same credential. */
	further?: readonly Target[];
}

export interface CheckOptions {
	expectations?: Expectations;
	/** For each question, default 2.5 s. */
	timeLimitMs?: number;
	/** For each other address that is tried, default 1 s: one where packets are dropped must not take all of the time. */
	elsewhereLimitMs?: number;
	/** For a place in the queue of the credential, in front of the generations that wait; default 15 s. */
	placeLimitMs?: number;
	/**
	 * Also ask `/slots`. It wakes a sleeping llama-server and keeps it from falling asleep
	 * (docs/protocols/llama-server.md 2.1).
	 */
	readSlots?: boolean;
	signal?: AbortSignal;
}

export const TIME_LIMIT_MS = 2_500;
const MAX_MODELS_ASKED = 12;

/** What the questions to a server work with. */
export interface ProbeContext {
	target: Target;
	connection: Connection;
	options: CheckOptions;
	/** One question, with a time of its own. */
	ask(url: string, json?: unknown): Promise<Probe>;
	/** A question at another address, without the key. */
	askElsewhere(baseUrl: string, expects: Alternative['expects']): Promise<Alternative>;
}

/** What the questions brought, as plain data. */
export type ProbeResults = Pick<Observations, 'probes' | 'perModel' | 'alternatives'>;

/**
 * Looks at a server, without starting a generation, without loading or waking anything, all questions side by side
 * where that is safe.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function observe(
	target: Target,
	look: (context: ProbeContext) => Promise<ProbeResults>,
	options: CheckOptions = {},
): Promise<Observations> {
	const startedAt = performance.now();
	const { timeLimitMs = TIME_LIMIT_MS, elsewhereLimitMs = 1000, signal, expectations = {} } = options;
	// undici counts connecting in steps of half a second, so the limit is met a little later than asked.
	const connectLimitMs = Math.max(200, Math.round(timeLimitMs * 0.72));
	const base = {
		service: target.service,
		keySet: target.keySet,
		authentication: target.authentication,
		maxConcurrentRequests: target.maxConcurrentRequests,
		...optional({ keyType: target.keyType }),
		expectations,
	};
	const entered = await enter(() => target.connect({ connectLimitMs }), options);
	if (entered instanceof ServerError && entered.kind === 'aborted') throw entered;
	if (entered instanceof ServerError)
		return {
			...base,
			rejected: describeFailure(entered),
			probes: {},
			perModel: {},
			alternatives: [],
			checkMs: elapsed(startedAt),
		};
	const { connection, leave } = entered;
	const seen = await look({
		target,
		connection,
		options,
		ask: async (url, json) => await ask(connection, url, { timeoutMs: timeLimitMs, signal, json }),
		askElsewhere: async (baseUrl, expects) => {
			const limitMs = Math.min(elsewhereLimitMs, timeLimitMs);
			const other = target.connectElsewhere(baseUrl, { connectLimitMs: limitMs });
			const url = { anything: `${other.url.root}/health`, models: `${other.url.api}/models`, dify: `${baseUrl}/info` }[
				expects
			];
			return { baseUrl, expects, probe: await ask(other, url, { timeoutMs: limitMs, signal }) };
		},
	}).finally(leave);
	if (signal?.aborted) throw failure('aborted', connection.contextOf(connection.url.api));
	const { typed, origin, root, api } = connection.url;
	return { ...base, url: { typed, origin, root, api }, ...seen, checkMs: elapsed(startedAt) };
}

/**
 * A connection with one place in the queue of the credential for all questions, or why there is none. A server that is
 * known to bear looks beside an answer is asked without a place where none becomes free.
 */
async function enter(connect: () => Connection, { signal, placeLimitMs = 15_000 }: CheckOptions) {
	try {
		const connection = connect();
		const waiting = { limits: { firstTokenMs: placeLimitMs }, signal, inFront: true };
		const leave = await connection.enter(waiting).catch((error: unknown) => {
			const kind = knownServerKind(connection) ?? 'other';
			const isSafe = kind !== 'other' && traitsOf(kind).endsAnswersWhenAsked !== true;
			if (isSafe && signal?.aborted !== true) return () => {};
			throw error;
		});
		return { connection: connection.withoutQueue(), leave };
	} catch (error) {
		if (!(error instanceof ServerError)) return failure('invalidInput', {}, { message: messageOf(error) });
		const message = `The server was not asked: n8n's own requests held all places for ${seconds(placeLimitMs)}`;
		return error.facts.queued === true ? error.reworded({ kind: 'busy', message }) : error;
	}
}

/** docs/protocols/llama-server.md 8.1 and 9.3, in two rounds: who is it, then what only that kind can tell. */
export async function probeModelServer(context: ProbeContext): Promise<ProbeResults> {
	const { root, origin } = context.connection.url;
	// Passes the queue of the model's own thread in llama-server, so it may hang where nothing else does: nobody waits
	// for it here.
	const metrics = context.ask(`${root}/metrics`);
	const told = await named({
		models: askList(context),
		props: context.ask(`${root}/props`),
		ollamaVersion: context.ask(`${root}/api/version`),
		version: context.ask(`${root}/version`),
	});
	const path = healthPathOf(told);
	const first = {
		...told,
		...(path === undefined
			? {}
			: await named({
					health: context.ask(root + path),
					...(root === origin ? {} : { originHealth: context.ask(origin + path) }),
				})),
	};
	const [second, perModel, alternatives] = await Promise.all([
		secondRound(context, first),
		askModels(context, first),
		tryOtherPaths(context, first),
	]);
	return { probes: { ...first, ...second, metrics: await metrics }, perModel, alternatives };
}

/** The list, also where the API has no version in its address. */
async function askList({ connection, ask: question }: ProbeContext): Promise<Probe> {
	const list = await question(`${connection.url.api}/models`);
	const look = async (url: string) => await question(url).then((probe) => (probe.answered ? probe : undefined));
	// A version that was typed twice is a mistake to tell of, though there is a list one step above.
	return list.answered && !/\/v\d+$/.test(connection.url.root) ? await learnRoot(connection, list, look) : list;
}

export type Round = Partial<Record<ProbeName, Probe>>;

/** Waits for several questions at once. */
export async function named(probes: Partial<Record<ProbeName, Promise<Probe | undefined>>>): Promise<Round> {
	const entries = await Promise.all(Object.entries(probes).map(async ([name, probe]) => [name, await probe] as const));
	return Object.fromEntries(entries.filter(([, probe]) => probe !== undefined));
}

async function secondRound(context: ProbeContext, first: Round): Promise<Round> {
	const { root, api, typed } = context.connection.url;
	const { kind } = serverOf(first);
	const { hasOllamaApi, llamaApi, guardedRoute } = traitsOfServer(kind);
	if (hasOllamaApi === true)
		return await named({ ollamaTags: context.ask(`${root}/api/tags`), ollamaRunning: context.ask(`${root}/api/ps`) });
	const questions: Parameters<typeof named>[0] = {};
	if (guardedRoute !== undefined && guardedRoute.path !== '/props')
		questions.guarded = context.ask(root + guardedRoute.path, guardedRoute.json);
	const keyless = async (known: Round) =>
		context.target.keySet && mustAskWithoutKey(known, kind)
			? await context.askElsewhere(typed, 'models').then(({ probe }) => probe)
			: undefined;
	questions.keyless = keyless({ ...first, guarded: await questions.guarded });
	// No list of models: Hugging Face's servers for embeddings tell about themselves there.
	if (first.models?.answered === true && first.models.status === 404 && first.models.text.trim() === '')
		questions.info = context.ask(`${root}/info`);
	const props = bodyOf(first.props);
	// Only where it just said that it is awake: any other route than the ones of the first round wakes it.
	if (llamaApi === 'oneModel' && props.is_sleeping === false) {
		if (context.options.readSlots === true && props.endpoint_slots !== false)
			questions.slots = context.ask(`${root}/slots`);
		// An empty question is refused before any task is made of it: with 501 where the function is off, with 400 where it
		// is on.
		questions.embeddings = context.ask(`${api}/embeddings`, {});
		questions.rerank = context.ask(`${api}/rerank`, {});
	}
	const second = await named(questions);
	const told = serverOf({ ...first, ...second }).kind;
	const late = told === kind ? undefined : traitsOfServer(told).guardedRoute;
	return late === undefined ? second : { ...second, guarded: await context.ask(root + late.path, late.json) };
}

async function askModels(context: ProbeContext, first: Round): Promise<Record<string, ModelProbes>> {
	const { root } = context.connection.url;
	const { kind } = serverOf(first);
	const models = modelsIn(first.models);
	const perModel: Record<string, ModelProbes> = {};
	const wanted = context.options.expectations?.model;
	const traits = traitsOfServer(kind);
	const { hasOllamaApi, llamaApi } = traits;
	const isWanted = (model: (typeof models)[number]) => isModelNamed(model, wanted, traits);
	const wantedFirst = (some: typeof models) =>
		[...some.filter(isWanted), ...some.filter((model) => !isWanted(model))].map(({ id }) => id);
	if (llamaApi === 'router') {
		const loaded = wantedFirst(models.filter(({ state }) => state === 'loaded'));
		await Promise.all(
			loaded.slice(0, MAX_MODELS_ASKED).map(async (id) => {
				// Without `autoload=false` the question itself would load a model that was unloaded meanwhile.
				const query = `?model=${encodeURIComponent(id.toWellFormed())}&autoload=false`;
				const [props, metrics] = await Promise.all([
					context.ask(`${root}/props${query}`),
					context.ask(`${root}/metrics${query}`),
				]);
				perModel[id] = { props, metrics };
			}),
		);
	}
	if (hasOllamaApi === true)
		await Promise.all(
			wantedFirst(models)
				.slice(0, MAX_MODELS_ASKED)
				.map(async (id) => {
					perModel[id] = { show: await context.ask(`${root}/api/show`, { model: id }) };
				}),
		);
	return perModel;
}

/** Where the address leads to something else than the API, the usual places of the API are tried, without the key. */
async function tryOtherPaths(context: ProbeContext, first: Round): Promise<Alternative[]> {
	const { url } = context.connection;
	const main = first.models;
	if (main?.answered !== true) return await tryLikelyAddresses(context, first);
	const isElsewhere =
		listOf(main) === undefined &&
		['wrongPath', 'notAnApi', 'invalidAnswer', 'wrongServer'].includes(main.failure?.kind ?? '');
	// Open WebUI has its API under /api; and a path in the base URL may be one too many.
	const places = isElsewhere ? [url.origin, `${url.origin}/api`].filter((place) => place !== url.root) : [];
	return await Promise.all(places.map(async (place) => await context.askElsewhere(place, 'models')));
}

/**
 * Where nothing answers in a way that usually has one cause, the likely right address is tried, without the key.
 * Nothing but the same machine is asked, and no other port.
 */
export async function tryLikelyAddresses(
	{ connection: { url }, askElsewhere }: ProbeContext,
	first: Round,
	base = url.root,
): Promise<Alternative[]> {
	const probes = Object.values(first);
	const kinds = probes.flatMap((probe) => (probe.answered ? [] : [probe.failure.kind]));
	if (kinds.length < probes.length) return [];
	const places: string[] = [];
	// From inside a container, this is the machine that runs it.
	if (kinds.includes('refused') && isLoopback(new URL(url.origin).hostname))
		places.push(withHost(base, 'host.docker.internal'));
	// A server without TLS may close, answer something that is no TLS, or wait for the rest of what it takes for a
	// request.
	const isTls = base.startsWith('https:');
	if (
		kinds.some(
			(kind) =>
				kind === 'tlsMismatch' ||
				kind === 'closedBeforeAnswer' ||
				kind === 'notHttp' ||
				(isTls && kind === 'connectTimeout'),
		)
	)
		places.push(isTls ? base.replace(/^https:/, 'http:') : base.replace(/^http:/, 'https:'));
	return await Promise.all(places.map(async (place) => await askElsewhere(place, 'anything')));
}

function withHost(url: string, host: string): string {
	const changed = new URL(url);
	changed.hostname = host;
	return changed.href.replace(/\/$/, '');
}
