/**
 * What a check asks a model server: first its kind, then what only that kind can tell (docs/protocols/llama-server.md
 * 8.1, 9.3). No request generates, loads or wakes anything.
 */
import { CHAT_ROUTE, findApiRoot } from '../../servers/api-root';
import { mayListAtTags } from '../../servers/kinds/evidence';
import type { ServerKind } from '../../servers/kinds/kind';
import { isModelNamed } from '../../servers/model-names';
import { isFilled } from '../../values';
import { answersOf, bodyOf, healthPathOf, modelsIn, serverOf, kindOfServer } from '../answers';
import { mustAskWithoutKey } from '../key-answers';
import type { ModelProbes, Probe } from '../observations';
import { tryOtherAddresses } from './likely-addresses';
import type { ProbeContext, ProbeResults } from './observe';
import { ask, askRounds, type Known, type ProbeRequest, type Probes, type Round } from './table';

/** Tells the kind of the server. */
const IDENTITY: Round = {
	models: ({ url }) => ({ url: `${url.api}/models`, revise: orWithoutVersion }),
	props: ({ url }) => ({ url: `${url.root}/props` }),
	ollamaVersion: ({ url }) => ({ url: `${url.root}/api/version` }),
	version: ({ url }) => ({ url: `${url.root}/version` }),
};

const HEALTH: Round = {
	ollamaTags: (known) => (mayListAtTags(answersOf(known.probes)) ? tagsOf(known) : undefined),
	health: ({ url, probes }) => below(url.root, healthPathOf(probes)),
	originHealth: ({ url, probes }) =>
		url.root === url.origin ? undefined : below(url.origin, healthPathOf(probes)),
};

/** In llama-server it passes the queue of the model's thread, so it alone may hang: it is awaited last. */
const AWAITED_LAST: Round = { metrics: ({ url }) => ({ url: `${url.root}/metrics` }) };

const OLLAMA: Round = {
	ollamaTags: tagsOf,
	ollamaRunning: ({ url }) => ({ url: `${url.root}/api/ps` }),
};

/** What only some kinds can tell. */
const OF_KIND: Round = {
	guarded: (known) => guardedRequest(known),
	// Hugging Face's servers for embeddings have no list of models, and describe themselves there.
	info: ({ url, probes }) =>
		isMissingRoute(probes.models) ? { url: `${url.root}/info` } : undefined,
	// The Stable Diffusion WebUI has a list of its own.
	pictureModels: (known) =>
		isUnlisted(known) ? { url: `${known.url.root}/sdapi/v1/sd-models` } : undefined,
	running: ({ url, kind }) => below(url.root, kind.models.running?.path),
	chat: (known) => (isUnlisted(known) ? { url: known.url.api + CHAT_ROUTE } : undefined),
	slots: (known) => (mayReadSlots(known) ? { url: `${known.url.root}/slots` } : undefined),
	embeddings: (known) => emptyRequest('/embeddings', known),
	rerank: (known) => emptyRequest('/rerank', known),
};

/** It is refused before it becomes a task: with 501 where the function is off, with 400 where it is on. */
function emptyRequest(route: string, known: Known): ProbeRequest | undefined {
	return isAwake(known) ? { url: known.url.api + route, json: {} } : undefined;
}

/** Whether the key counts, as far as the answers before have not told it. */
const KEY: Round = {
	keyless: ({ context, url, probes, kindName }) =>
		context.target.keySet && mustAskWithoutKey(probes, kindName)
			? { url: `${url.api}/models`, withoutKey: true }
			: undefined,
	// The round before may have told the kind.
	guarded: (known) => (known.probes.guarded === undefined ? guardedRequest(known) : undefined),
};

export async function probeModelServer(context: ProbeContext): Promise<ProbeResults> {
	const awaitedLast = askRounds(context, [AWAITED_LAST]);
	const first = await askRounds(context, [IDENTITY, HEALTH]);
	const kind = kindOfServer(serverOf(first).kind);
	const [second, perModel, alternatives] = await Promise.all([
		askRounds(context, kind.health.reports === 'models' ? [OLLAMA] : [OF_KIND, KEY], first),
		askModels(context, first),
		tryOtherAddresses(context, first),
	]);
	return { probes: { ...second, ...(await awaitedLast) }, perModel, alternatives };
}

function tagsOf({ url }: Known): ProbeRequest {
	return { url: `${url.root}/api/tags` };
}

function below(place: string, path: string | undefined): ProbeRequest | undefined {
	return path === undefined ? undefined : { url: place + path };
}

/** The list of models, also where the address of the API has no version. */
async function orWithoutVersion(list: Probe, { connection, ask }: ProbeContext): Promise<Probe> {
	// A version that was typed twice is reported as a mistake, though there is a list one level above.
	if (!list.answered || /\/v\d+$/.test(connection.url.root)) return list;
	return await findApiRoot(connection, list, async (url) => {
		const answer = await ask(url);
		return answer.answered ? answer : undefined;
	});
}

/** The route that wants the key where the list does not; `/props` was asked already. */
function guardedRequest({ url, kind }: Known): ProbeRequest | undefined {
	const { guardedRoute } = kind.health;
	if (guardedRoute === undefined || guardedRoute.path === '/props') return undefined;
	return { url: url.root + guardedRoute.path, json: guardedRoute.json };
}

function isUnlisted({ kindName, probes: { models } }: Known): boolean {
	return kindName === 'openAiCompatible' && models?.answered === true && models.status === 404;
}

function isMissingRoute(probe: Probe | undefined): boolean {
	return probe?.answered === true && probe.status === 404 && probe.text.trim() === '';
}

/** A llama-server that just said that it is awake: any other route than those of the first rounds wakes it. */
function isAwake({ kind, probes }: Known): boolean {
	return kind.health.reports === 'server' && bodyOf(probes.props).is_sleeping === false;
}

function mayReadSlots(known: Known): boolean {
	const { context, probes } = known;
	const hasSlots = bodyOf(probes.props).endpoint_slots !== false;
	return isAwake(known) && context.options.readSlots === true && hasSlots;
}

const MAX_MODELS_ASKED = 12;

/** What is asked about each model; empty where the server has no route for that. */
type ModelRequests = Partial<Record<keyof ModelProbes, ProbeRequest>>;

function requestsAbout(id: string, root: string, kind: ServerKind): ModelRequests {
	if (kind.health.reports === 'models')
		return { show: { url: `${root}/api/show`, json: { model: id } } };
	// Without `autoload=false` the question itself would load a model that was unloaded meanwhile.
	const query = `?model=${encodeURIComponent(id.toWellFormed())}&autoload=false`;
	return {
		props: { url: `${root}/props${query}` },
		metrics: { url: `${root}/metrics${query}` },
	};
}

async function askModels(
	context: ProbeContext,
	first: Probes,
): Promise<Record<string, ModelProbes>> {
	const kind = kindOfServer(serverOf(first).kind);
	const { reports } = kind.health;
	if (reports !== 'models' && reports !== 'process') return {};
	const { root } = context.connection.url;
	const probesOf = async (id: string) => {
		const requests = Object.entries(requestsAbout(id, root, kind));
		const probes = await Promise.all(
			requests.map(async ([name, request]) => [name, await ask(context, request)]),
		);
		return [id, Object.fromEntries(probes) as ModelProbes] as const;
	};
	const perModel = await Promise.all(modelsToAsk(context, first).map(probesOf));
	return Object.fromEntries(perModel.filter(([, probes]) => isFilled(probes)));
}

/** The model of the expectations first. A router is asked about loaded models only. */
function modelsToAsk({ options }: ProbeContext, first: Probes): string[] {
	const kind = kindOfServer(serverOf(first).kind);
	const expectedName = options.expectations?.model;
	const isRouter = kind.health.reports === 'process';
	const expected: string[] = [];
	const others: string[] = [];
	for (const model of modelsIn(first.models)) {
		if (isRouter && model.state !== 'loaded') continue;
		const isExpected = isModelNamed(model, expectedName, kind.models.isSameName);
		(isExpected ? expected : others).push(model.id);
	}
	return [...expected, ...others].slice(0, MAX_MODELS_ASKED);
}
