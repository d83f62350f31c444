/** What a check asks Dify, what is wrong and what to do: docs/protocols/dify.md 1.1, 1.3, 2.11, 6. */
import { kindOf } from '../dify/errors';
import type { FailureKind } from '../errors/kinds';
import { remedyFor } from '../errors/remedies';
import type { ServerError } from '../errors/server-error';
import type { Target } from '../http/ask';
import {
	finiteNumber,
	isRecord,
	type JsonRecord,
	nonEmptyText,
	recordOf,
	recordsIn,
} from '../values';
import { isOfDify } from './facts';
import {
	counted,
	findAll,
	type FindingRow,
	type Found,
	fromFailure,
	type Outcome,
	statusOf,
} from './findings';
import { ask, bodyOf, type CheckOptions, described, latencyOf, type Probe } from './probe';

type KeyType = 'app' | 'knowledge';

/** Dify with the key of an app, or of knowledge bases. Its `root` is the base of the Service API. */
export interface DifyServer extends Target {
	keyType: KeyType;
}

/** All that findings look at. */
interface DifyFacts {
	keyType: KeyType;
	/** The answer of the route that the key is for, and of the route for the other type of key. */
	main: Probe;
	other: Probe;
	/** Of an app: whether it is published. */
	parameters?: Probe;
	/** Of a workflow app: its last run. */
	runs?: Probe;
	/** Documents that wait to be indexed, and since when. */
	waiting: Array<{ name: string; minutes: number }>;
	asksModels: boolean;
	/** Searches that asked the models behind Dify. */
	searches: Probe[];
	models: string[];
}

/**
 * Asks Dify by the routes of both types of key: a key of the wrong type is refused in the same words as an unknown one
 * (docs/protocols/dify.md 1.3, A3), and only the other type's route tells them apart.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function lookAtDify(server: DifyServer, options: CheckOptions): Promise<Outcome> {
	const { keyType, url } = server;
	const isApp = keyType === 'app';
	const question = async (path: string, json?: JsonRecord) =>
		await ask(server, url.root + path, { ...options, json });
	const questionOfApp = async (path: string) => (isApp ? await question(path) : undefined);
	const [info, datasets, parameters, runs] = await Promise.all([
		question('/info'),
		// A search needs a base with vectors, which may not be the first one.
		question(`/datasets?page=1&limit=${isApp ? 1 : 100}`),
		questionOfApp('/parameters'),
		questionOfApp('/workflows/logs?page=1&limit=1'),
	]);
	const bases = isApp ? [] : searchableBases(bodyOf(datasets));
	const [documents, searches] = await Promise.all([
		Promise.all(
			bases.map(async ({ id }) => await question(`/datasets/${id}/documents?page=1&limit=20`)),
		),
		Promise.all(
			// The text differs each time, because Dify keeps the vectors of queries.
			(options.askModels === true ? bases : []).map(
				async ({ id, search }) =>
					await question(`/datasets/${id}/retrieve`, {
						query: `health check ${new Date().toISOString()}`,
						retrieval_model: search,
					}),
			),
		),
	]);
	const [main, other] = isApp ? [info, datasets] : [datasets, info];
	const probes = [main, other, ...[parameters ?? [], runs ?? [], documents, searches].flat()];
	const models = [...new Set(bases.flatMap((base) => base.models))];
	const waiting = documents.flatMap(waitingIn);
	const facts = { keyType, main, other, parameters, runs, waiting, searches, models };
	const findings = difyFindings({ ...facts, asksModels: options.askModels === true });
	const dify = probes.find(isOfDify);
	const version = dify?.headers['x-version'] || null;
	return {
		url: url.root,
		findings,
		server: { kind: dify === undefined ? 'unknown' : 'dify', version },
		latencyMs: latencyOf(probes),
		name: version === null ? 'Dify' : `Dify ${version}`,
		...offered(facts),
	};
}

function offered({
	keyType,
	main,
}: Pick<DifyFacts, 'keyType' | 'main'>): Pick<Outcome, 'offer' | 'more'> {
	const body = bodyOf(main);
	if (keyType === 'knowledge') {
		const total = finiteNumber(body.total);
		const offer = total === undefined ? 'its knowledge bases' : counted(total, 'knowledge base');
		return { offer, more: {} };
	}
	const app = { name: nonEmptyText(body.name) ?? null, mode: nonEmptyText(body.mode) ?? null };
	const mode = app.mode === null ? '' : ` (${app.mode})`;
	return { offer: `the app "${app.name ?? ''}"${mode}`, more: { app } };
}

/** Why the API cannot be used. The first that fits is the only finding. */
const NO_API: ReadonlyArray<FindingRow<DifyFacts>> = [
	{
		id: 'noAnswer',
		severity: 'error',
		status: 'unreachable',
		when: ({ main, parameters }) => {
			const late = [main, parameters].find((probe) => probe?.failure?.kind === 'totalLimit');
			return late && described(late);
		},
		text: () => 'Dify did not answer a simple question in time',
		advice: () =>
			'Its API or its database may be overloaded or hung: look at docker compose ps and docker compose logs api. If nothing answers there, a firewall may drop the packets. If Dify is just far away, raise Time Limit of a Check.',
	},
	{
		id: 'thisIsAModelServer',
		severity: 'error',
		status: 'misconfigured',
		when: ({ main }) =>
			/llama\.cpp/i.test(main.headers.server ?? '') ? described(main) : undefined,
		text: () => 'llama-server answers here, not Dify',
		advice: () =>
			'Choose Model Server in this node with a "LocalLlama API" credential, or correct the Base URL of the "Dify API" credential.',
	},
	{
		id: 'notDify',
		severity: 'error',
		status: 'misconfigured',
		when: ({ main, keyType }) =>
			main.status > 0 && main.status < 300 && isRecord(main.json) && !isFine(main, keyType)
				? described(main)
				: undefined,
		text: () => 'Something answers here, but not as Dify does',
		advice: () =>
			"Check the Base URL and the port of the credential: it is the address of Dify's API, for example http://dify.example.com/v1.",
	},
	{
		id: 'difyWrongKeyType',
		severity: 'error',
		status: 'unauthorized',
		when: ({ main, other, keyType }) =>
			main.status === 401 && isFine(other, otherThan(keyType))
				? `${described(main)}; ${described(other)}`
				: undefined,
		text: ({ keyType }) => `This is ${KEYS[otherThan(keyType)]}, but ${KEYS[keyType]} is needed`,
		advice: ({ keyType }) =>
			`Take ${KEYS[keyType]} ${keyType === 'app' ? 'from the page API Access of the app' : 'from Knowledge, API Access'}, or change Key Type in the credential.`,
	},
];

const KEYS: Record<KeyType, string> = {
	app: 'the key of an app',
	knowledge: 'the key of a knowledge base',
};

/** What may be wrong with a Dify that answers. */
export const DIFY_FINDINGS: ReadonlyArray<FindingRow<DifyFacts>> = [
	...NO_API,
	{
		id: 'difyWorkerAway',
		severity: 'error',
		status: 'degraded',
		when: ({ waiting: [first] }) =>
			first && `The document "${first.name}" has waited for ${first.minutes} minutes`,
		text: () => remedyFor('indexingStuck', { service: 'dify' }).title,
		advice: () =>
			`${remedyFor('indexingStuck', { service: 'dify' }).remedy} Runs of apps only send pings then.`,
	},
	{
		id: 'difyModelSlow',
		severity: 'error',
		status: 'degraded',
		when: ({ searches }) => {
			const late = searches.find(({ status }) => status === 0);
			return late && described(late);
		},
		text: () => 'Dify answers, but a search that asks its embedding model did not end in time',
		advice: () =>
			'Its model server may be away, or still loading the model: look at it, and at docker compose logs plugin_daemon. If it is just slow, raise Time Limit of a Check.',
	},
	{
		id: 'difyModelsAnswer',
		severity: 'info',
		when: ({ searches }) =>
			searches.length > 0 && searches.every(({ failure }) => failure === undefined)
				? searches.map(described).join('; ')
				: undefined,
		text: ({ models }) => `Dify reaches the models of its knowledge bases: ${models.join(', ')}`,
		advice: () =>
			'The models of apps may be on other servers, and indexing also needs the worker: only a run, or a new document, shows those.',
	},
	{
		id: 'difyModelsUnknown',
		severity: 'info',
		when: ({ asksModels, searches, main }) =>
			asksModels && searches.length === 0 ? described(main) : undefined,
		text: () => 'Whether Dify reaches its models cannot be seen: nothing here lets it ask one',
		advice: () =>
			'Use a credential with a key of the type Knowledge, and a knowledge base with High Quality and a document in it; or send a message with Dify Chat Message.',
	},
	{
		id: 'difyNotChecked',
		severity: 'info',
		when: ({ asksModels, main }) => (asksModels ? undefined : described(main)),
		text: () =>
			'Dify itself and its database answer; whether its worker, its plugin daemon, Redis and the model server behind it work was not checked',
		advice: () =>
			'Only a run shows that. If runs fail, stay queued or only send pings while this check is fine, look at docker compose ps and at the logs of worker and plugin_daemon.',
	},
];

/** Failures caused by settings of the app or its address. Other refusals of Dify may be temporary. */
const MISCONFIGURED: ReadonlySet<FailureKind> = new Set([
	'appDisabled',
	'appUnusable',
	'appUnavailable',
	'notPublished',
	'providerCredentials',
	'notAnApi',
	'wrongServer',
	'wrongPath',
	'redirect',
]);

function difyFindings(facts: DifyFacts): Found[] {
	const { main, parameters, searches } = facts;
	const [cause] = findAll(NO_API, facts);
	const refused = [main, parameters].find((probe) => probe?.failure !== undefined);
	if (cause !== undefined) return [cause];
	if (refused !== undefined) return [refusedFinding(refused.failure!, described(refused))];
	const late = searches.filter(({ failure, status }) => failure !== undefined && status > 0);
	const failed = late.map((probe) => refusedFinding(probe.failure!, described(probe)));
	return [...failed, ...lastRunFinding(facts), ...findAll(DIFY_FINDINGS, facts)];
}

function refusedFinding(failure: ServerError, observed: string): Found {
	const { kind, status = 0 } = failure;
	// Dify's own failures have a name of their own; those of the network are the same everywhere.
	if (status === 0) return fromFailure(failure, observed);
	const otherwise = MISCONFIGURED.has(kind) ? 'misconfigured' : 'degraded';
	return fromFailure(failure, observed, { id: idOf(kind), status: statusOf(kind, otherwise) });
}

function idOf(kind: FailureKind): string {
	return `dify${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
}

/** Failures of what stands behind Dify. */
const BEHIND: ReadonlySet<FailureKind> = new Set([
	'modelConnection',
	'modelProvider',
	'pluginDaemon',
	'providerCredentials',
	'providerMissing',
	'providerQuota',
]);

/** The last run of a workflow app failed for what stands behind Dify: the next one may as well. */
function lastRunFinding({ runs }: DifyFacts): Found[] {
	const { status, error } = recordOf(recordOf(recordsIn(bodyOf(runs).data)[0]).workflow_run);
	const message = nonEmptyText(error);
	if (status !== 'failed' || message === undefined) return [];
	const kind = kindOf({ message });
	if (!BEHIND.has(kind)) return [];
	const { title, remedy } = remedyFor(kind, { service: 'dify' });
	const observed = `The last run of the app failed: "${message.slice(0, 200)}"`;
	return [{ id: idOf(kind), severity: 'warning', observed, meaning: title, advice: remedy }];
}

function otherThan(keyType: KeyType): KeyType {
	return keyType === 'app' ? 'knowledge' : 'app';
}

function isFine(probe: Probe, keyType: KeyType): boolean {
	const { data, has_more: hasMore, name, mode, tags } = bodyOf(probe);
	if (keyType === 'knowledge') return Array.isArray(data) && typeof hasMore === 'boolean';
	// Many programs say {"name": …} of themselves. Before 1.0 there was no mode (docs/protocols/dify.md 2.10).
	return typeof name === 'string' && (typeof mode === 'string' || Array.isArray(tags));
}

/** A document that was just sent waits as well. */
const LONG_MINUTES = 5;

function waitingIn(documents: Probe): DifyFacts['waiting'] {
	return recordsIn(bodyOf(documents).data).flatMap(
		({ indexing_status: status, name, created_at: at }) => {
			const minutes = Math.round((Date.now() / 1000 - (finiteNumber(at) ?? Infinity)) / 60);
			return status === 'waiting' && minutes >= LONG_MINUTES
				? [{ name: String(name), minutes }]
				: [];
		},
	);
}

/** A check searches no more bases than this. */
const MOST_SEARCHES = 5;

/** Bases with vectors in Dify itself (docs/protocols/dify.md 2.13): the first one of the list for each set of models. */
function searchableBases(
	list: JsonRecord,
): Array<{ id: string; models: string[]; search: JsonRecord }> {
	const byModels = new Map<string, ReturnType<typeof searchableBases>[number]>();
	for (const base of recordsIn(list.data).filter(hasVectors)) {
		const stored = recordOf(base.retrieval_model_dict);
		const rerankModel = rerankModelOf(stored);
		const models = [
			nonEmptyText(base.embedding_model) ?? 'its embedding model',
			rerankModel ?? [],
		].flat();
		const search = {
			...stored,
			search_method: 'semantic_search',
			reranking_enable: rerankModel !== undefined,
			top_k: 1,
			score_threshold_enabled: false,
		};
		const key = JSON.stringify([base.embedding_model_provider, models]);
		const id = encodeURIComponent(String(base.id));
		if (!byModels.has(key)) byModels.set(key, { id, models, search });
	}
	return [...byModels.values()].slice(0, MOST_SEARCHES);
}

function hasVectors({
	indexing_technique: technique,
	provider,
	document_count: count,
}: JsonRecord): boolean {
	return technique === 'high_quality' && provider !== 'external' && Number(count) > 0;
}

function rerankModelOf(stored: JsonRecord): string | undefined {
	const isOn = stored.reranking_enable === true && stored.reranking_mode !== 'weighted_score';
	return isOn ? nonEmptyText(recordOf(stored.reranking_model).reranking_model_name) : undefined;
}
