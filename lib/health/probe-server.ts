/** What a check asks a model server (docs/protocols/llama-server.md 8.1, 9.3): two rounds, each at once. */
import { CHAT_ROUTE, findApiRoot } from '../servers/base-url';
import { isModelNamed, loadedOrAll } from '../servers/model-names';
import { readModels, readProps, type ServerModel } from '../servers/models';
import { KINDS, learnKind } from '../servers/types';
import { identify } from '../servers/types/identify';
import type { KindName, Server, ServerKind } from '../servers/types/server-type';
import { isRouter } from '../servers/types/llama-server';
import { asList, isRecord, type JsonRecord } from '../values';
import { ask, bodyOf, type CheckOptions, type Probe } from './probe';

/** The first round, which tells the server. Any other server has no such route. */
const IDENTITY = {
	models: ({ url }: Server) => `${url.api}/models`,
	props: ({ url }: Server) => `${url.root}/props`,
	apiVersion: ({ url }: Server) => `${url.root}/api/version`,
	version: ({ url }: Server) => `${url.root}/version`,
};

/** What the first round told. */
interface Identified {
	server: Server;
	options: CheckOptions;
	identity: Record<keyof typeof IDENTITY, Probe>;
	name: KindName;
	kind: ServerKind;
	/** Undefined: there is no list. */
	models?: ServerModel[];
	/** The model that the check is about: the expected one, or the only one that is loaded. */
	subject?: ServerModel;
	/** A router has a process for each model. */
	isRouter: boolean;
	/** Names the loaded model of a router, so that the question is about it, and loads nothing. */
	query: string;
}

interface Question {
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
} satisfies Record<string, (known: Identified) => Question | undefined>;

/** All answers of a check. */
export interface Seen extends Identified {
	details: Partial<Record<keyof typeof DETAILS, Probe>>;
	/** The process that runs the subject; empty where it is not known. */
	props: JsonRecord;
}

/**
 * Asks a model server. Nothing is generated, loaded or woken.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function lookAt(server: Server, options: CheckOptions): Promise<Seen> {
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

async function identified(server: Server, options: CheckOptions): Promise<Identified> {
	const look = async (url: string) => await ask(server, url, options);
	const asked = Object.entries(IDENTITY).map(
		async ([name, urlOf]) => [name, await look(urlOf(server))] as const,
	);
	const identity = Object.fromEntries(await Promise.all(asked)) as Identified['identity'];
	identity.models = await findApiRoot(server, identity.models, look);
	const answers = { models: identity.models, version: identity.apiVersion };
	const models = modelsIn(identity.models);
	if (models !== undefined) learnKind(server, identity.models);
	const name = server.kindSet ?? identify(answers);
	const kind: ServerKind = KINDS[name];
	const subject = subjectOf(models ?? [], kind, options);
	const known = { server, options, identity, name, kind, models, subject };
	if (!isRouter(answers) || subject?.state !== 'loaded')
		return { ...known, isRouter: isRouter(answers), query: '' };
	const query = `?model=${encodeURIComponent(subject.id.toWellFormed())}&autoload=false`;
	return { ...known, isRouter: true, query };
}

async function askDetails(known: Identified): Promise<Seen['details']> {
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

function modelsIn({ failure, json }: Probe): ServerModel[] | undefined {
	if (failure !== undefined) return undefined;
	const isLong = isRecord(json) && asList(json.data).length > MOST_MODELS;
	return readModels(isLong ? { data: asList(json.data).slice(0, MOST_MODELS) } : json);
}

function subjectOf(
	models: ServerModel[],
	{ isSameModel }: ServerKind,
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
