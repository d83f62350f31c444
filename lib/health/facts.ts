/** What the answers to a check tell. Pure. */
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

/** A question that was refused or got no answer, and what that means. */
export interface FailedProbe {
	probe: ProbeResult;
	error: ServerError;
}

/** All that findings look at. */
export interface CheckFacts extends Pick<ServerSnapshot, 'serverType'> {
	url: string;
	server: CheckResult['server'];
	latencyMs: number | null;
	timeoutMs: number;
	hasKey: boolean;
	expected: Expectations;
	/** Why the API cannot be used: nothing else is known then. */
	failedProbe?: FailedProbe;
	/** It has no list of models; where nothing failed, it has a route for chats. */
	isUnlisted: boolean;
	modelListProbe: ProbeResult;
	serverFacts: ServerFacts;
	models: ServerModel[];
	/** The expected model, or the only one that is loaded. */
	checkedModel?: ServerModel;
}

export function toCheckFacts(seen: ServerSnapshot): CheckFacts {
	const { identity, details, serverType, checkedModel, options, server } = seen;
	const embeddings = isFeatureEnabled(details.embeddings);
	const models = (seen.models ?? []).map((model) => ({ embeddings, ...model }));
	return {
		url: server.url.root,
		serverType,
		server: { type: getReportedType(seen), version: getVersion(seen) },
		latencyMs: getLatency([...Object.values(identity), ...Object.values(details)]),
		timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
		hasKey: Object.keys(server.headers).length > 0,
		expected: options.expectations ?? {},
		failedProbe: findFailedProbe(seen),
		isUnlisted: seen.models === undefined,
		modelListProbe: identity.models,
		serverFacts: toServerFacts(seen, models),
		models,
		checkedModel: models.find(({ id }) => id === checkedModel?.id),
	};
}

function getReportedType(seen: ServerSnapshot): CheckResult['server']['type'] {
	const { typeName, serverType, identity } = seen;
	if (isRecognizedType(serverType)) return typeName;
	if (Object.values(identity).some(isDifyResponse)) return 'dify';
	// FastAPI refuses so.
	const isRefusal = 'detail' in asRecord(identity.models.json);
	return isRefusal || hasApi(seen) ? 'openAiCompatible' : 'unknown';
}

/** It has a list of models, or a route for chats without one. */
function hasApi({ models, details }: ServerSnapshot): boolean {
	return models !== undefined || isPostOnlyRoute(details.chat);
}

/** Dify is recognized by its headers (docs/protocols/dify.md 1.1). */
export function isDifyResponse({ headers }: ProbeResult): boolean {
	return headers['x-version'] !== undefined && headers['x-env'] !== undefined;
}

/** Builds of llama-server without Git name a version that is none: "b0-unknown". */
const NO_VERSION = /^b0\b|unknown/i;

function getVersion({ identity: { props, apiVersion, version } }: ServerSnapshot): string | null {
	const all = [
		getJsonObject(props).build_info,
		getJsonObject(apiVersion).version,
		getJsonObject(version).version,
	];
	const named = all.map(asNonEmptyString).find((text) => text !== undefined);
	return named === undefined || NO_VERSION.test(named) ? null : named;
}

function findFailedProbe(seen: ServerSnapshot): FailedProbe | undefined {
	const { identity, serverType, server } = seen;
	const { models: list, props } = identity;
	if (!hasApi(seen)) return { probe: list, error: list.error ?? toProbeError(server, list) };
	// Its list may be open to everybody.
	const isKeyRefused = serverType.fetchProps !== undefined && props.error?.type === 'unauthorized';
	return isKeyRefused ? { probe: props, error: props.error! } : undefined;
}

const RUNNING = ['llamacpp:requests_processing', 'vllm:num_requests_running'];
const WAITING = ['llamacpp:requests_deferred', 'vllm:num_requests_waiting'];

function toServerFacts({ props, details }: ServerSnapshot, models: ServerModel[]): ServerFacts {
	const metrics = countersIn(details.metrics);
	const counted = (names: string[]) =>
		names.map((name) => metrics[name]).find((count) => count !== undefined) ?? null;
	return {
		models: models.map(toModelFacts),
		slots: { total: asFiniteNumber(props.total_slots) ?? null, busy: counted(RUNNING) },
		queue: counted(WAITING),
		contextPerSlot: parseProps(props).context ?? null,
		sleeping: parseBoolean(props.is_sleeping) ?? null,
	};
}

function countersIn(probe: ProbeResult | undefined): Record<string, number> {
	return probe?.status === 200 ? parseMetrics(probe.text) : {};
}

/** Whether a function is on: llama-server answers 501 where it is off, 400 or 500 where only our question was wrong. */
function isFeatureEnabled(probe: ProbeResult | undefined): boolean | undefined {
	if (probe?.status === 501) return false;
	return [200, 400, 500].includes(probe?.status ?? 0) ? true : undefined;
}

/** A model of which nothing is known, in the order of the item. */
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
	const known = Object.entries(model).filter(
		([name, value]) => name in UNKNOWN_MODEL && value !== undefined,
	);
	return {
		id,
		aliases,
		...UNKNOWN_MODEL,
		...Object.fromEntries(known),
		parameters: parseParameterCount(model.parameters) ?? null,
		loaded: state === undefined ? null : state === 'loaded' || state === 'sleeping',
	};
}
