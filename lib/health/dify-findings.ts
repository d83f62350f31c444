/** Possible problems of Dify, and how to fix them. */
import { toErrorType } from '../dify/error-types';
import type { ErrorType } from '../errors/error-types';
import { getErrorText, getHealthStatus, isOneOf } from '../errors/error-types';
import { isRecord, asNonEmptyString, asRecord, asRecords } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import type { FindingRules, FindingWithStatus } from './check-result';
import { evaluateRules, findingFromError } from './check-result';
import type { ProbeResult } from './run-probe';
import { getJsonObject, describeProbe } from './run-probe';

export type KeyType = 'app' | 'knowledge';

/** All responses of a check: the input of the findings. */
export interface DifyFacts {
	keyType: KeyType;
	/** Response of the route for this type of key. */
	keyTypeProbe: ProbeResult;
	/** Response of the route for the other type. */
	otherTypeProbe: ProbeResult;
	/** Parameters of an app, which exist only if it is published. */
	parameters: ProbeResult | undefined;
	/** Last run of a workflow app. */
	runs: ProbeResult | undefined;
	/** Documents of the first knowledge bases; empty for an app key. */
	documents: ProbeResult[];
}

/** Reasons that the API cannot be used. The first match is the only finding. */
export const DIFY_BLOCKING_RULES: FindingRules<DifyFacts> = {
	noResponse: ({ keyTypeProbe, parameters }) => {
		const timedOut = [keyTypeProbe, parameters].find(
			(probe) => probe?.error?.type === 'totalTimeout',
		);
		return {
			status: 'unreachable',
			observed: timedOut && describeProbe(timedOut),
			detail: 'Dify did not respond to a simple request in time',
			suggestion: timedOut?.error?.suggestion ?? '',
		};
	},
	modelServerDetected: ({ keyTypeProbe }) => ({
		status: 'misconfigured',
		observed: /llama\.cpp/i.test(keyTypeProbe.headers.server ?? '') && describeProbe(keyTypeProbe),
		detail: 'This address is a llama-server, not Dify',
		suggestion:
			'Select Model Server in this node with a "LocalLlama API" credential, or correct the Base URL of the "Dify API" credential.',
	}),
	notDify: ({ keyTypeProbe, keyType }) => ({
		status: 'misconfigured',
		observed:
			keyTypeProbe.status > 0 &&
			keyTypeProbe.status < 300 &&
			isRecord(keyTypeProbe.json) &&
			!isExpectedResponse(keyTypeProbe, keyType) &&
			describeProbe(keyTypeProbe),
		detail: 'The server at this address does not respond like Dify',
		suggestion:
			'Check the Base URL and the port in the credential: enter the address of the Dify API, for example http://dify.example.com/v1.',
	}),
	difyWrongKeyType: ({ keyTypeProbe, otherTypeProbe, keyType }) => {
		const otherType = keyType === 'app' ? 'knowledge' : 'app';
		const { name, source } = KEYS[keyType];
		return {
			status: 'unauthorized',
			observed:
				keyTypeProbe.status === 401 &&
				isExpectedResponse(otherTypeProbe, otherType) &&
				`${describeProbe(keyTypeProbe)}; ${describeProbe(otherTypeProbe)}`,
			detail: `This is ${KEYS[otherType].name}, but ${name} is required`,
			suggestion: `Use ${name} from ${source}, or change Key Type in the credential.`,
		};
	},
};

const KEYS = {
	app: { name: 'an app key', source: 'the API Access page of the app' },
	knowledge: { name: 'a knowledge base key', source: 'Knowledge, API Access' },
};

/** Possible problems of a Dify whose API can be used. */
export const DIFY_FINDING_RULES: FindingRules<DifyFacts> = {
	difyWorkerDown: ({ documents }) => {
		const { title, suggestion } = getErrorText('indexingStuck', { service: 'dify' });
		return {
			status: 'degraded',
			observed: documents.flatMap(({ json }) => getWaitingDocuments(json))[0],
			detail: title,
			suggestion: `${suggestion} App runs only send pings in the meantime.`,
		};
	},
	difyPartlyChecked: ({ keyTypeProbe }) => ({
		severity: 'info',
		observed: describeProbe(keyTypeProbe),
		detail:
			'Dify and its database respond; the worker, the plugin daemon, Redis and the model server behind Dify were not checked',
		suggestion:
			'Only a run tests these. If runs fail, stay queued or only send pings while this check passes, check docker compose ps and the logs of worker and plugin_daemon.',
	}),
};

export function getDifyFindings(facts: DifyFacts): FindingWithStatus[] {
	const { keyTypeProbe, parameters } = facts;
	const [cause] = evaluateRules(DIFY_BLOCKING_RULES, facts);
	const failed = [keyTypeProbe, parameters].find((probe) => probe?.error !== undefined);
	if (cause !== undefined) return [cause];
	if (failed !== undefined) return [findingFromProbe(failed)];
	return [...getLastRunFindings(facts), ...evaluateRules(DIFY_FINDING_RULES, facts)];
}

function findingFromProbe(probe: ProbeResult) {
	const error = probe.error!;
	const { type } = error;
	const observed = describeProbe(probe);
	// Errors from Dify have IDs with the prefix "dify"; network errors have the same IDs everywhere.
	if (probe.status === 0) return findingFromError(error, observed);
	return findingFromError(error, observed, {
		id: toDifyFindingId(type),
		status: getHealthStatus(type, 'dify'),
	});
}

function toDifyFindingId(type: ErrorType) {
	return `dify${type.charAt(0).toUpperCase()}${type.slice(1)}`;
}

/** Errors of the model providers of Dify. */
const isUpstreamError = isOneOf(
	'providerUnreachable',
	'providerError',
	'pluginDaemonError',
	'providerKeyInvalid',
	'providerNotInstalled',
	'providerQuotaExceeded',
);

/** If the last run of a workflow app failed because of a model provider, the next one may fail as well. */
function getLastRunFindings({ runs }: DifyFacts): FindingWithStatus[] {
	const { status, error } = asRecord(asRecord(asRecords(getJsonObject(runs).data)[0]).workflow_run);
	const message = asNonEmptyString(error);
	if (status !== 'failed' || message === undefined) return [];
	const type = toErrorType({ message });
	if (!isUpstreamError(type)) return [];
	const { title, suggestion } = getErrorText(type, { service: 'dify' });
	const observed = `The last run of the app failed: "${message.slice(0, 200)}"`;
	return [{ id: toDifyFindingId(type), severity: 'warning', observed, detail: title, suggestion }];
}

function isExpectedResponse(probe: ProbeResult, keyType: KeyType) {
	const { data, mode } = getJsonObject(probe);
	return keyType === 'knowledge' ? Array.isArray(data) : typeof mode === 'string';
}

/** New documents wait, too. */
const LONG_MINUTES = 5;

function getWaitingDocuments(list: unknown) {
	return asRecords(asRecord(list).data).flatMap((document) => {
		const { indexing_status: status, name, created_at: createdAt } = document;
		const minutes = Math.round((Date.now() / 1000 - (asFiniteNumber(createdAt) ?? Infinity)) / 60);
		if (status !== 'waiting' || minutes < LONG_MINUTES) return [];
		return [`The document "${String(name)}" has been waiting for ${minutes} minutes`];
	});
}
