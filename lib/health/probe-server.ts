/** What a check asks a model server (docs/protocols/llama-server.md 8.1, 9.3): two rounds, each at once. */
import { CHAT_ROUTE, findApiRoot } from '../servers/base-url';
import { isModelNamed, loadedOrAll } from '../servers/model-names';
import { readModels, readProps, type ServerModel } from '../servers/models';
import { KINDS, learnKind } from '../servers/types';
import { identify } from '../servers/types/identify';
import type { ServerTypeName, ModelServer, ServerType } from '../servers/types/server-type';
import { isRouter } from '../servers/types/llama-server';
import { asList, isRecord, type JsonRecord } from '../values';
import { ask, bodyOf, type CheckOptions, type ProbeResult } from './probe';

/** The first round, which tells the server. Any other server has no such route. */
const IDENTITY = {
	models: ({ url }: ModelServer) => `${url.api}/models`,
	props: ({ url }: ModelServer) => `${url.root}/props`,
	apiVersion: ({ url }: ModelServer) => `${url.root}/api/version`,
	version: ({ url }: ModelServer) => `${url.root}/version`,
};

/** What the first round told. */
interface IdentifiedServer {
	server: ModelServer;
	options: CheckOptions;
	identity: Record<keyof typeof IDENTITY, ProbeResult>;
	name: ServerTypeName;
	kind: ServerType;
	/** Undefined: there is no list. */
	models?: ServerModel[];
	/** The model that the check is about: the expected one, or the only one that is loaded. */
	subject?: ServerModel;
	/** A router has a process for each model. */
	isRouter: boolean;
	/** Names the loaded model of a router, so that the question is about it, and loads nothing. */
	query: string;
}

interface ProbeRequest {
	url: string;
	/** Sent with POST. */
	json?: JsonRecord;
}

/** The second round: what only some servers can tell. */
const DETAILS = {
	metrics: ({ server: { url }, query }) => ({ url: `${url.root}/metrics${query}` }),
	// Refused before they become a task: with 501 where the function is off, with 400 where it is on. Any route but those
	// of the first round wakes a llama-server that sleeps.
	embeddings: ({ server: { url }, identity }) =>
		bodyOf(identity.props).is_sleeping === false
			? { url: `${url.api}/embeddings`, json: {} }
			: undefined,
	routedProps: ({ server: { url }, query }) =>
		query === '' ? undefined : { url: `${url.root}/props${query}` },
	chat: ({ server: { url }, identity }) =>
		identity.models.status === 404 ? { url: url.api + CHAT_ROUTE } : undefined,
} satisfies Record<string, (known: IdentifiedServer) => ProbeRequest | undefined>;

/** All answers of a check. */
export interface ServerSnapshot extends IdentifiedServer {
	details: Partial<Record<keyof typeof DETAILS, ProbeResult>>;
	/** The process that runs the subject; empty where it is not known. */
	props: JsonRecord;
}

/**
 * Asks a model server. Nothing is generated, loaded or woken.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function lookAt(server: ModelServer, options: CheckOptions): Promise<ServerSnapshot> {
	const known = await identified(server, options);
	const { kind, identity, models, subject } = known;
	if (identity.models.status === 0) return { ...known, details: {}, props: {} };
	const [details, detailed] = await Promise.all([
		askDetails(known),
		models && kind.details?.(server, models, options.signal),
	]);
	const all = detailed ?? models;
	if (!known.isRouter) return { ...known, models: all, details, props: bodyOf(identity.props) };
	const props = bodyOf(details.routedProps);
	const described = all?.map((model) =>
		model.id === subject?.id ? { ...model, ...readProps(props) } : model,
	);
	return { ...known, models: described, details, props };
}

async function identified(server: ModelServer, options: CheckOptions): Promise<IdentifiedServer> {
	const look = async (url: string) => await ask(server, url, options);
	const asked = Object.entries(IDENTITY).map(
		async ([name, urlOf]) => [name, await look(urlOf(server))] as const,
	);
	const identity = Object.fromEntries(await Promise.all(asked)) as IdentifiedServer['identity'];
	identity.models = await findApiRoot(server, identity.models, look);
	const answers = { models: identity.models, version: identity.apiVersion };
	const models = modelsIn(identity.models);
	if (models !== undefined) learnKind(server, identity.models);
	const name = server.kindSet ?? identify(answers);
	const kind: ServerType = KINDS[name];
	const subject = subjectOf(models ?? [], kind, options);
	const known = { server, options, identity, name, kind, models, subject };
	if (!isRouter(answers) || subject?.state !== 'loaded')
		return { ...known, isRouter: isRouter(answers), query: '' };
	const query = `?model=${encodeURIComponent(subject.id.toWellFormed())}&autoload=false`;
	return { ...known, isRouter: true, query };
}

async function askDetails(known: IdentifiedServer): Promise<ServerSnapshot['details']> {
	const { server, options } = known;
	const asked = Object.entries(DETAILS).map(async ([name, questionOf]) => {
		const question = questionOf(known);
		if (question === undefined) return [];
		return [[name, await ask(server, question.url, { ...options, ...question })] as const];
	});
	return Object.fromEntries((await Promise.all(asked)).flat());
}

/** Gateways list thousands. */
const MOST_MODELS = 5_000;

function modelsIn({ failure, json }: ProbeResult): ServerModel[] | undefined {
	if (failure !== undefined) return undefined;
	const isLong = isRecord(json) && asList(json.data).length > MOST_MODELS;
	return readModels(isLong ? { data: asList(json.data).slice(0, MOST_MODELS) } : json);
}

function subjectOf(
	models: ServerModel[],
	{ isSameModel }: ServerType,
	{ expectations = {} }: CheckOptions,
): ServerModel | undefined {
	const { model: name } = expectations;
	if (name !== undefined) return models.find((model) => isModelNamed(model, name, isSameModel));
	const candidates = loadedOrAll(forChats(models));
	return candidates.length === 1 ? candidates[0] : undefined;
}

/** The models that may write text; all where none is known to. */
export function forChats<M extends { embeddings?: boolean | null }>(models: readonly M[]): M[] {
	const writing = models.filter(({ embeddings }) => embeddings !== true);
	return writing.length > 0 ? writing : [...models];
}
