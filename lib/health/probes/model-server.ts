import { isLoopback } from '../../errors/remedies';
import { findApiRoot } from '../../servers/connect';
import { isModelNamed } from '../../servers/model-names';
import type { Alternative, ModelProbes, Probe, ProbeName } from '../observations';
import { bodyOf, healthPathOf, listOf, modelsIn, serverOf, kindOfServer } from '../answers';
import { mustAskWithoutKey } from '../findings/key';
import type { ProbeContext, ProbeResults } from './observe';

const MAX_MODELS_ASKED = 12;

/**
 * Probes a model server in two rounds: first its kind, then what only that kind can tell
 * (docs/protocols/llama-server.md 8.1, 9.3).
 */
export async function probeModelServer(context: ProbeContext): Promise<ProbeResults> {
	const { root, origin } = context.connection.url;
	// In llama-server it passes the queue of the model's thread, so it alone may hang: it is awaited last.
	const metrics = context.ask(`${root}/metrics`);
	const told = await awaitProbes({
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
			: await awaitProbes({
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

/** The list of models, also where the address of the API has no version. */
async function askList({ connection, ask: question }: ProbeContext): Promise<Probe> {
	const list = await question(`${connection.url.api}/models`);
	const look = async (url: string) =>
		await question(url).then((probe) => (probe.answered ? probe : undefined));
	// A version that was typed twice is reported as a mistake, though there is a list one level above.
	return list.answered && !/\/v\d+$/.test(connection.url.root)
		? await findApiRoot(connection, list, look)
		: list;
}

export type Round = Partial<Record<ProbeName, Probe>>;

/** Awaits several probes, and leaves out those that were not sent. */
export async function awaitProbes(
	probes: Partial<Record<ProbeName, Promise<Probe | undefined>>>,
): Promise<Round> {
	const entries = await Promise.all(
		Object.entries(probes).map(async ([name, probe]) => [name, await probe] as const),
	);
	return Object.fromEntries(entries.filter(([, probe]) => probe !== undefined));
}

async function secondRound(context: ProbeContext, first: Round): Promise<Round> {
	const { root, api, typed } = context.connection.url;
	const { kind } = serverOf(first);
	const { hasOllamaApi, llamaApi, guardedRoute } = kindOfServer(kind);
	if (hasOllamaApi === true)
		return await awaitProbes({
			ollamaTags: context.ask(`${root}/api/tags`),
			ollamaRunning: context.ask(`${root}/api/ps`),
		});
	const questions: Parameters<typeof awaitProbes>[0] = {};
	if (guardedRoute !== undefined && guardedRoute.path !== '/props')
		questions.guarded = context.ask(root + guardedRoute.path, guardedRoute.json);
	const keyless = async (known: Round) =>
		context.target.keySet && mustAskWithoutKey(known, kind)
			? await context.askElsewhere(typed, 'models').then(({ probe }) => probe)
			: undefined;
	questions.keyless = keyless({ ...first, guarded: await questions.guarded });
	// No list of models: Hugging Face's servers for embeddings describe themselves at `/info`.
	if (
		first.models?.answered === true &&
		first.models.status === 404 &&
		first.models.text.trim() === ''
	)
		questions.info = context.ask(`${root}/info`);
	const props = bodyOf(first.props);
	// Only where it just said that it is awake: any other route than the ones of the first round wakes it.
	if (llamaApi === 'oneModel' && props.is_sleeping === false) {
		if (context.options.readSlots === true && props.endpoint_slots !== false)
			questions.slots = context.ask(`${root}/slots`);
		// An empty request is refused before it becomes a task: with 501 where the function is off, with 400 where it is
		// on.
		questions.embeddings = context.ask(`${api}/embeddings`, {});
		questions.rerank = context.ask(`${api}/rerank`, {});
	}
	const second = await awaitProbes(questions);
	const told = serverOf({ ...first, ...second }).kind;
	const late = told === kind ? undefined : kindOfServer(told).guardedRoute;
	return late === undefined
		? second
		: { ...second, guarded: await context.ask(root + late.path, late.json) };
}

async function askModels(
	context: ProbeContext,
	first: Round,
): Promise<Record<string, ModelProbes>> {
	const { root } = context.connection.url;
	const { kind } = serverOf(first);
	const models = modelsIn(first.models);
	const perModel: Record<string, ModelProbes> = {};
	const wanted = context.options.expectations?.model;
	const traits = kindOfServer(kind);
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

/** Where the address is not that of the API, tries the API's usual paths, without the key. */
async function tryOtherPaths(context: ProbeContext, first: Round): Promise<Alternative[]> {
	const { url } = context.connection;
	const main = first.models;
	if (main?.answered !== true) return await tryLikelyAddresses(context, first);
	const isElsewhere =
		listOf(main) === undefined &&
		['wrongPath', 'notAnApi', 'invalidAnswer', 'wrongServer'].includes(main.failure?.kind ?? '');
	// Open WebUI has its API under /api; and a path in the base URL may be one too many.
	const places = isElsewhere
		? [url.origin, `${url.origin}/api`].filter((place) => place !== url.root)
		: [];
	return await Promise.all(
		places.map(async (place) => await context.askElsewhere(place, 'models')),
	);
}

/**
 * Where nothing answers and the failure has one usual cause, tries the likely address, without the key. Asks only the
 * same machine and the same port.
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
