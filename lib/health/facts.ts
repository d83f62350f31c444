/** Facts from the responses to a check. Pure. */
import type { ServerError } from '../errors/server-error';
import { isPostOnlyRoute } from '../servers/base-url';
import { isRecognizedType } from '../servers/types';
import { parseMetrics } from '../servers/metrics';
import { parseParameterCount, parseProps, type ServerModel } from '../servers/models';
import { parseBoolean, asFiniteNumber, asNonEmptyString, asRecord } from '../values';
import {
	getJsonObject,
	getLatency,
	type ProbeResult,
	toProbeError,
	DEFAULT_TIMEOUT_MS,
} from './probe';
import type { ServerSnapshot } from './probe-server';
import type { CheckResult, Expectations, ModelFacts, ServerFacts } from './result';

/** A probe that was rejected or got no response, and its error. */
export interface FailedProbe {
	probe: ProbeResult;
	error: ServerError;
}

/** Input of the findings. */
export interface CheckFacts extends Pick<ServerSnapshot, 'serverType'> {
	url: string;
	server: CheckResult['server'];
	latencyMs: number | null;
	timeoutMs: number;
	hasKey: boolean;
	expected: Expectations;
	/** The reason that the API cannot be used: nothing else is known then. */
	failedProbe?: FailedProbe;
	/** The server has no model list. If no probe failed, it has a chat endpoint. */
	isUnlisted: boolean;
	modelListProbe: ProbeResult;
	serverFacts: ServerFacts;
	models: ServerModel[];
	/** The expected model, or the only one that is loaded. */
	checkedModel?: ServerModel;
}

export function toCheckFacts(snapshot: ServerSnapshot): CheckFacts {
	const { identity, details, serverType, checkedModel, options, server } = snapshot;
	const embeddings = isFeatureEnabled(details.embeddings);
	const models = (snapshot.models ?? []).map((model) => ({ embeddings, ...model }));
	return {
		url: server.url.root,
		serverType,
		server: { type: getReportedType(snapshot), version: getVersion(snapshot) },
		latencyMs: getLatency([...Object.values(identity), ...Object.values(details)]),
		timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
		hasKey: Object.keys(server.headers).length > 0,
		expected: options.expectations ?? {},
		failedProbe: findFailedProbe(snapshot),
		isUnlisted: snapshot.models === undefined,
		modelListProbe: identity.models,
		serverFacts: toServerFacts(snapshot, models),
		models,
		checkedModel: models.find(({ id }) => id === checkedModel?.id),
	};
}

function getReportedType(snapshot: ServerSnapshot): CheckResult['server']['type'] {
	const { typeName, serverType, identity } = snapshot;
	if (isRecognizedType(serverType)) return typeName;
	if (Object.values(identity).some(isDifyResponse)) return 'dify';
	// Error format of FastAPI.
	const isErrorResponse = 'detail' in asRecord(identity.models.json);
	return isErrorResponse || hasApi(snapshot) ? 'openAiCompatible' : 'unknown';
}

/** Whether it has a model list, or a chat endpoint without one. */
function hasApi({ models, details }: ServerSnapshot): boolean {
	return models !== undefined || isPostOnlyRoute(details.chat);
}

/** Dify is recognized by its headers (docs/protocols/dify.md 1.1). */
export function isDifyResponse({ headers }: ProbeResult): boolean {
	return headers['x-version'] !== undefined && headers['x-env'] !== undefined;
}

/** llama-server built without Git reports "b0-unknown", which is not a version. */
const NO_VERSION = /^b0\b|unknown/i;

function getVersion({ identity: { props, apiVersion, version } }: ServerSnapshot): string | null {
	const versions = [
		getJsonObject(props).build_info,
		getJsonObject(apiVersion).version,
		getJsonObject(version).version,
	];
	const reported = versions.map(asNonEmptyString).find((text) => text !== undefined);
	return reported === undefined || NO_VERSION.test(reported) ? null : reported;
}

function findFailedProbe(snapshot: ServerSnapshot): FailedProbe | undefined {
	const { identity, serverType, server } = snapshot;
	const { models, props } = identity;
	if (!hasApi(snapshot))
		return { probe: models, error: models.error ?? toProbeError(server, models) };
	// The model list may need no key.
	const isKeyRejected = serverType.fetchProps !== undefined && props.error?.type === 'unauthorized';
	return isKeyRejected ? { probe: props, error: props.error! } : undefined;
}

const RUNNING = ['llamacpp:requests_processing', 'vllm:num_requests_running'];
const WAITING = ['llamacpp:requests_deferred', 'vllm:num_requests_waiting'];

function toServerFacts({ props, details }: ServerSnapshot, models: ServerModel[]): ServerFacts {
	const metrics = parseCounters(details.metrics);
	const findCount = (names: string[]) =>
		names.map((name) => metrics[name]).find((count) => count !== undefined) ?? null;
	return {
		models: models.map(toModelFacts),
		slots: { total: asFiniteNumber(props.total_slots) ?? null, busy: findCount(RUNNING) },
		queue: findCount(WAITING),
		contextPerSlot: parseProps(props).context ?? null,
		sleeping: parseBoolean(props.is_sleeping) ?? null,
	};
}

function parseCounters(probe: ProbeResult | undefined): Record<string, number> {
	return probe?.status === 200 ? parseMetrics(probe.text) : {};
}

/** Whether a feature is on: llama-server responds with 501 if not, with 400 or 500 if only our request was invalid. */
function isFeatureEnabled(probe: ProbeResult | undefined): boolean | undefined {
	if (probe?.status === 501) return false;
	return [200, 400, 500].includes(probe?.status ?? 0) ? true : undefined;
}

/** A model without known facts, in the field order of the item. */
const UNKNOWN_MODEL: Omit<ModelFacts, 'id' | 'aliases'> = {
	context: null,
	trainedContext: null,
	parameters: null,
	size: null,
	quantization: null,
	vision: null,
	audio: null,
	tools: null,
	embeddings: null,
	remoteHost: null,
	loaded: null,
	state: null,
};

export function toModelFacts(model: ServerModel): ModelFacts {
	const { id, aliases, state } = model;
	const facts = Object.entries(model).filter(
		([name, value]) => name in UNKNOWN_MODEL && value !== undefined,
	);
	return {
		id,
		aliases,
		...UNKNOWN_MODEL,
		...Object.fromEntries(facts),
		parameters: parseParameterCount(model.parameters) ?? null,
		loaded: state === undefined ? null : state === 'loaded' || state === 'sleeping',
	};
}
