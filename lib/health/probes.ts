import { isLoopback } from '../errors/remedies';
import { findApiRoot } from '../servers/connect';
import { isModelNamed } from '../servers/model-names';
import type { Alternative, ModelProbes, Probe, ProbeName } from './observations';
import { bodyOf, healthPathOf, listOf, modelsIn, serverOf, traitsOfServer } from './answers';
import { mustAskWithoutKey } from './key';
import type { ProbeContext, ProbeResults } from './observe';

const MAX_MODELS_ASKED = 12;

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
	return list.answered && !/\/v\d+$/.test(connection.url.root) ? await findApiRoot(connection, list, look) : list;
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
