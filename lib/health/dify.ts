/** What a check asks Dify, what is wrong and what to do: docs/protocols/dify.md 1.1, 1.3, 2.11, 6. */
import { toErrorType } from '../dify/errors';
import type { ErrorType } from '../errors/error-types';
import { getErrorText } from '../errors/texts';
import type { Endpoint } from '../http/types';
import { asFiniteNumber, isRecord, asNonEmptyString, asRecord, asRecords } from '../values';
import { isDifyResponse } from './facts';
import {
	pluralize,
	evaluateRules,
	type FindingRule,
	type FindingWithStatus,
	findingFromError,
	type CheckOutcome,
	toHealthStatus,
} from './findings';
import {
	runProbe,
	getJsonObject,
	type CheckOptions,
	describeProbe,
	getLatency,
	type ProbeResult,
} from './probe';

type KeyType = 'app' | 'knowledge';

/** Dify with the key of an app, or of knowledge bases. Its `root` is the base of the Service API. */
export interface DifyServer extends Endpoint {
	keyType: KeyType;
}

/** All that findings look at. */
interface DifyFacts {
	keyType: KeyType;
	/** The answer of the route that the key is for, and of the route for the other type of key. */
	keyTypeProbe: ProbeResult;
	otherTypeProbe: ProbeResult;
	/** Of an app: whether it is published. */
	parameters?: ProbeResult;
	/** Of a workflow app: its last run. */
	runs?: ProbeResult;
	/** Documents of the first knowledge bases. */
	documents: ProbeResult[];
}

/** A check looks into no more bases than this for documents that wait. */
const MAX_DATASETS = 5;

/**
 * Asks Dify by the routes of both types of key: a key of the wrong type is refused in the same words as an unknown one
 * (docs/protocols/dify.md 1.3, A3), and only the other type's route tells them apart.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function checkDify(server: DifyServer, options: CheckOptions): Promise<CheckOutcome> {
	const { url } = server;
	const question = async (path: string) => await runProbe(server, url.root + path, options);
	const facts = server.keyType === 'app' ? await probeApp(question) : await probeDatasets(question);
	const { keyTypeProbe, otherTypeProbe, parameters, runs, documents } = facts;
	const probes = [keyTypeProbe, otherTypeProbe, ...documents, parameters, runs].filter(
		(probe) => probe !== undefined,
	);
	const dify = probes.find(isDifyResponse);
	const version = dify?.headers['x-version'] || null;
	return {
		url: url.root,
		findings: difyFindings(facts),
		server: { type: dify === undefined ? 'unknown' : 'dify', version },
		latencyMs: getLatency(probes),
		name: version === null ? 'Dify' : `Dify ${version}`,
		...describeOffer(facts),
	};
}

type Prober = (path: string) => Promise<ProbeResult>;

async function probeApp(question: Prober): Promise<DifyFacts> {
	const [keyTypeProbe, otherTypeProbe, parameters, runs] = await Promise.all([
		question('/info'),
		question('/datasets?page=1&limit=1'),
		question('/parameters'),
		question('/workflows/logs?page=1&limit=1'),
	]);
	return { keyType: 'app', keyTypeProbe, otherTypeProbe, parameters, runs, documents: [] };
}

async function probeDatasets(question: Prober): Promise<DifyFacts> {
	const [keyTypeProbe, otherTypeProbe] = await Promise.all([
		question(`/datasets?page=1&limit=${MAX_DATASETS}`),
		question('/info'),
	]);
	const documents = await Promise.all(
		asRecords(getJsonObject(keyTypeProbe).data).map(
			async ({ id }) =>
				await question(`/datasets/${encodeURIComponent(String(id))}/documents?page=1&limit=20`),
		),
	);
	return { keyType: 'knowledge', keyTypeProbe, otherTypeProbe, documents };
}

function describeOffer({
	keyType,
	keyTypeProbe,
}: DifyFacts): Pick<CheckOutcome, 'offerText' | 'extraFields'> {
	const { total, name, mode } = getJsonObject(keyTypeProbe);
	if (keyType === 'knowledge')
		return { offerText: pluralize(asFiniteNumber(total) ?? 0, 'knowledge base'), extraFields: {} };
	const app = { name: asNonEmptyString(name) ?? null, mode: asNonEmptyString(mode) ?? null };
	return { offerText: `the app "${app.name}" (${app.mode})`, extraFields: { app } };
}

/** Why the API cannot be used. The first that fits is the only finding. */
const BLOCKING_FINDINGS: ReadonlyArray<FindingRule<DifyFacts>> = [
	{
		id: 'noResponse',
		status: 'unreachable',
		observe: ({ keyTypeProbe, parameters }) => {
			const late = [keyTypeProbe, parameters].find(
				(probe) => probe?.error?.type === 'totalTimeout',
			);
			return late && describeProbe(late);
		},
		detail: 'Dify did not respond to a simple request in time',
		suggestion:
			'Its API or database may be overloaded or hung: check docker compose ps and docker compose logs api. If nothing responds there, a firewall may drop the packets. If Dify is far away, raise Check Timeout.',
	},
	{
		id: 'modelServerDetected',
		status: 'misconfigured',
		observe: ({ keyTypeProbe }) =>
			/llama\.cpp/i.test(keyTypeProbe.headers.server ?? '')
				? describeProbe(keyTypeProbe)
				: undefined,
		detail: 'This address is a llama-server, not Dify',
		suggestion:
			'Select Model Server in this node with a "LocalLlama API" credential, or correct the Base URL of the "Dify API" credential.',
	},
	{
		id: 'notDify',
		status: 'misconfigured',
		observe: ({ keyTypeProbe, keyType }) =>
			keyTypeProbe.status > 0 &&
			keyTypeProbe.status < 300 &&
			isRecord(keyTypeProbe.json) &&
			!isExpectedResponse(keyTypeProbe, keyType)
				? describeProbe(keyTypeProbe)
				: undefined,
		detail: 'The server at this address does not respond like Dify',
		suggestion:
			'Check the Base URL and the port in the credential: enter the address of the Dify API, for example http://dify.example.com/v1.',
	},
	{
		id: 'difyWrongKeyType',
		status: 'unauthorized',
		observe: ({ keyTypeProbe, otherTypeProbe, keyType }) =>
			keyTypeProbe.status === 401 && isExpectedResponse(otherTypeProbe, oppositeKeyType(keyType))
				? `${describeProbe(keyTypeProbe)}; ${describeProbe(otherTypeProbe)}`
				: undefined,
		detail: ({ keyType }) =>
			`This is ${KEYS[oppositeKeyType(keyType)]}, but ${KEYS[keyType]} is required`,
		suggestion: ({ keyType }) =>
			`Use ${KEYS[keyType]} ${keyType === 'app' ? 'from the API Access page of the app' : 'from Knowledge, API Access'}, or change Key Type in the credential.`,
	},
];

const KEYS: Record<KeyType, string> = {
	app: 'an app key',
	knowledge: 'a knowledge base key',
};

/** What may be wrong with a Dify that answers. */
export const DIFY_FINDINGS: ReadonlyArray<FindingRule<DifyFacts>> = [
	...BLOCKING_FINDINGS,
	{
		id: 'difyWorkerDown',
		status: 'degraded',
		observe: ({ documents }) => {
			const waiting = documents.flatMap(({ json }) => getWaitingDocuments(json));
			return waiting[0];
		},
		detail: getErrorText('indexingStuck', { service: 'dify' }).title,
		suggestion: `${getErrorText('indexingStuck', { service: 'dify' }).suggestion} App runs only send pings in the meantime.`,
	},
	{
		id: 'difyPartlyChecked',
		severity: 'info',
		observe: ({ keyTypeProbe }) => describeProbe(keyTypeProbe),
		detail:
			'Dify and its database respond; the worker, the plugin daemon, Redis and the model server behind Dify were not checked',
		suggestion:
			'Only a run tests these. If runs fail, stay queued or only send pings while this check passes, check docker compose ps and the logs of worker and plugin_daemon.',
	},
];

/** Failures caused by settings of the app or its address. Other refusals of Dify may be temporary. */
const MISCONFIGURED: ReadonlySet<ErrorType> = new Set([
	'appDisabled',
	'appInactive',
	'appUnavailable',
	'notPublished',
	'providerKeyInvalid',
	'notAnApi',
	'wrongServer',
	'routeNotFound',
	'unexpectedRedirect',
]);

function difyFindings(facts: DifyFacts): FindingWithStatus[] {
	const { keyTypeProbe, parameters } = facts;
	const [cause] = evaluateRules(BLOCKING_FINDINGS, facts);
	const refused = [keyTypeProbe, parameters].find((probe) => probe?.error !== undefined);
	if (cause !== undefined) return [cause];
	if (refused !== undefined) return [refusedFinding(refused)];
	return [...lastRunFinding(facts), ...evaluateRules(DIFY_FINDINGS, facts)];
}

function refusedFinding(probe: ProbeResult): FindingWithStatus {
	const failure = probe.error!;
	const { type } = failure;
	const observed = describeProbe(probe);
	// Dify's own failures have a name of their own; those of the network are the same everywhere.
	if (probe.status === 0) return findingFromError(failure, observed);
	const otherwise = MISCONFIGURED.has(type) ? 'misconfigured' : 'degraded';
	return findingFromError(failure, observed, {
		id: idOf(type),
		status: toHealthStatus(type, otherwise),
	});
}

function idOf(kind: ErrorType): string {
	return `dify${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
}

/** Failures of what stands behind Dify. */
const UPSTREAM_ERRORS: ReadonlySet<ErrorType> = new Set([
	'providerUnreachable',
	'providerError',
	'pluginDaemonError',
	'providerKeyInvalid',
	'providerNotInstalled',
	'providerQuotaExceeded',
]);

/** The last run of a workflow app failed for what stands behind Dify: the next one may as well. */
function lastRunFinding({ runs }: DifyFacts): FindingWithStatus[] {
	const { status, error } = asRecord(asRecord(asRecords(getJsonObject(runs).data)[0]).workflow_run);
	const message = asNonEmptyString(error);
	if (status !== 'failed' || message === undefined) return [];
	const kind = toErrorType({ message });
	if (!UPSTREAM_ERRORS.has(kind)) return [];
	const { title, suggestion } = getErrorText(kind, { service: 'dify' });
	const observed = `The last run of the app failed: "${message.slice(0, 200)}"`;
	return [{ id: idOf(kind), severity: 'warning', observed, detail: title, suggestion }];
}

function oppositeKeyType(keyType: KeyType): KeyType {
	return keyType === 'app' ? 'knowledge' : 'app';
}

function isExpectedResponse(probe: ProbeResult, keyType: KeyType): boolean {
	const { data, mode } = getJsonObject(probe);
	return keyType === 'knowledge' ? Array.isArray(data) : typeof mode === 'string';
}

/** A document that was just sent waits as well. */
const LONG_MINUTES = 5;

function getWaitingDocuments(list: unknown): string[] {
	return asRecords(asRecord(list).data).flatMap((document) => {
		const { indexing_status: status, name, created_at: at } = document;
		const minutes = Math.round((Date.now() / 1000 - (asFiniteNumber(at) ?? Infinity)) / 60);
		if (status !== 'waiting' || minutes < LONG_MINUTES) return [];
		return [`The document "${String(name)}" has been waiting for ${minutes} minutes`];
	});
}
