/** Facts from the responses to a check. Pure. */
import { hasDifyHeaders } from '../errors/classify-error';
import { createServerError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import { other } from '../servers/types/other';
import { isListMissing, toProbeError } from '../servers/probe';
import type { ServerModel } from '../servers/server-model';
import { parseParameterCount, parseProps } from '../servers/parse-models';
import { parseMetrics } from '../servers/metrics';
import { asNonEmptyString, asRecord, asString, omitUndefined } from '../values/records';
import { parseBoolean } from '../values/text';
import { asFiniteNumber, maxOf } from '../values/numbers';
import type { ServerSnapshot } from './probe-server';
import type { ProbeResult } from './run-probe';
import { getJsonObject, getLatency, isPage } from './run-probe';
import { DEFAULT_TIMEOUT_MS } from './check-options';
import type { Expectations, ModelFacts, ServerFacts } from './check-result';
import { MODEL_FACTS } from './check-result';
import type { ServerError } from '../errors/server-error';
import type { ServerType } from '../servers/types/server-type';

/** Input of the findings. */
export interface CheckFacts {
	/** URL of the server, as it is shown. */
	url: string;
	serverType: ServerType;
	server: ServerFacts;
	/** Milliseconds after which a probe gives up. */
	timeoutMs: number;
	/** Whether the credential has a key. */
	hasKey: boolean;
	/** What the user expects of the server. */
	expected: Expectations;
	/** The reason that the API cannot be used: nothing else is known then. */
	blocker?: Blocker;
	/** Whether the server has a model list. If not, and if no probe failed, it has endpoints for tasks. */
	hasModelList: boolean;
	/** Tasks that a server without a model list has endpoints for. */
	tasks: string[];
	modelListProbe: ProbeResult;
	/** `/health`, unless it was not requested. */
	healthProbe?: ProbeResult;
	models: ServerModel[];
	/** The expected model, or the only one that is loaded. */
	checkedModel?: ServerModel;
	/** Tokens that one request can use, the maximum of several models. */
	context?: number;
}

/** A probe that failed, and its error. */
export interface Blocker {
	probe: ProbeResult;
	error: ServerError;
}

/** What the findings need from all responses of a check. */
export function toCheckFacts(snapshot: ServerSnapshot): CheckFacts {
	const { identity, details, serverType, checkedModel, options, server, tasks } = snapshot;
	const embeddings = isFeatureEnabled(details?.embeddings);
	const models = (snapshot.models ?? []).map((model) => ({ embeddings, ...model }));
	const contexts = models.flatMap(({ context }) => context ?? []);
	const checked = models.find(({ id }) => id === checkedModel?.id);
	return {
		url: server.url.root,
		serverType,
		server: toServerFacts(snapshot),
		timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
		hasKey: Object.keys(server.headers).length > 0,
		expected: options.expectations ?? {},
		blocker: findBlocker(snapshot),
		hasModelList: snapshot.models !== undefined,
		tasks,
		modelListProbe: identity.modelList,
		healthProbe: details?.health,
		models,
		checkedModel: checked,
		context: checked?.context ?? (contexts.length > 0 ? maxOf(contexts) : undefined),
	};
}

function getReportedType(snapshot: ServerSnapshot): ServerFacts['type'] {
	const { serverType, identity } = snapshot;
	if (serverType !== other) return serverType.name;
	if (Object.values(identity).some(isDifyResponse)) return 'dify';
	// Error format of FastAPI.
	const isErrorResponse = 'detail' in asRecord(identity.modelList.json);
	return isErrorResponse || hasApi(snapshot) ? 'openAiCompatible' : 'unknown';
}

/** Whether it has a model list, or endpoints for tasks without one. */
function hasApi({ models, tasks }: ServerSnapshot) {
	return models !== undefined || tasks.length > 0;
}

/** Whether Dify sent a response, also one with an error. */
export function isDifyResponse({ headers }: ProbeResult): boolean {
	return hasDifyHeaders(headers);
}

/** llama-server built without Git reports "b0-unknown", which is not a version. */
const NO_VERSION = /^b0\b|unknown/i;

function getVersion({ identity: { props, apiVersion, version } }: ServerSnapshot) {
	const reported =
		asNonEmptyString(getJsonObject(props).build_info) ??
		asNonEmptyString(getJsonObject(apiVersion).version) ??
		asNonEmptyString(getJsonObject(version).version);
	return reported === undefined || NO_VERSION.test(reported) ? undefined : reported;
}

function findBlocker(snapshot: ServerSnapshot): Blocker | undefined {
	const { identity, serverType, server, details } = snapshot;
	const { modelList, props } = identity;
	const isListUsable = modelList.error === undefined || isListMissing(modelList);
	const health = details?.health;
	if (isListUsable && isUnready(health)) {
		return {
			probe: health,
			error: isLoading(health)
				? createServerError('modelLoading', toErrorContext(server, { url: health.url }))
				: (health.error ?? toProbeError(server, health.url, { ...health, status: 503 })),
		};
	}
	if (!hasApi(snapshot)) {
		return {
			probe: modelList,
			error: modelList.error ?? toProbeError(server, modelList.url, modelList),
		};
	}
	// The model list may need no key.
	const keyProbes = [serverType.fetchProps === undefined ? undefined : props, details?.chats];
	const probe = keyProbes.find((candidate) => candidate?.error?.type === 'unauthorized');
	return probe?.error ? { probe, error: probe.error } : undefined;
}

/** States of a server that will be ready: some respond with 200 while they load a model. */
const LOADING_STATE = /^(?:(?:down)?loading|starting|initiali[sz]ing|warming)/i;

/** States of a server that is not ready, whether or not it will be. */
const UNREADY_STATE = new RegExp(
	`${LOADING_STATE.source}|^(?:un(?:healthy|available)|error|fail|down$|dead|not[ _]ready)`,
	'i',
);

/** Whether the server itself reports that it cannot respond: pages of proxies do not count. */
function isUnready(health: ProbeResult | undefined): health is ProbeResult {
	if (health === undefined || isPage(health)) return false;
	if (health.status !== 200) return health.status === 500 || health.status === 503;
	const { status, healthy, ready, status_code: code } = asRecord(health.json);
	// GPUStack's vox-box returns an exception of FastAPI, which becomes a response with status 200.
	const isErrorInside = code === 500 || code === 503;
	const isUnreadyState = UNREADY_STATE.test(asString(status) ?? '');
	return isErrorInside || isUnreadyState || healthy === false || ready === false;
}

function isLoading({ json }: ProbeResult): boolean {
	const { status, detail } = asRecord(json);
	return [status, detail].some((state) => LOADING_STATE.test(asString(state) ?? ''));
}

function toServerFacts(snapshot: ServerSnapshot): ServerFacts {
	const { server, identity, details, props } = snapshot;
	const { status, text = '' } = details?.metrics ?? {};
	const metrics = parseMetrics(status === 200 ? text : '');
	return {
		url: server.url.root,
		type: getReportedType(snapshot),
		...omitUndefined({
			version: getVersion(snapshot),
			latencyMs: getLatency([...Object.values(identity), ...Object.values(details ?? {})]),
			slots: asFiniteNumber(props.total_slots),
			busySlots: metrics['llamacpp:requests_processing'] ?? metrics['vllm:num_requests_running'],
			queue: metrics['llamacpp:requests_deferred'] ?? metrics['vllm:num_requests_waiting'],
			contextPerSlot: parseProps(props).context,
			sleeping: parseBoolean(props.is_sleeping),
		}),
	};
}

/** Whether a feature is on: llama-server responds with 501 if not, with 400 or 500 if only our request was invalid. */
function isFeatureEnabled(probe: ProbeResult | undefined) {
	if (probe?.status === 501) return false;
	return [200, 400, 500].includes(probe?.status ?? 0) ? true : undefined;
}

/** A model for the result: only what the server reports. */
export function toModelFacts(model: ServerModel): ModelFacts {
	const { id, aliases, state } = model;
	const reported = Object.fromEntries(MODEL_FACTS.map((name) => [name, model[name]]));
	return {
		id,
		...omitUndefined({
			aliases: aliases.length === 0 ? undefined : aliases,
			...reported,
			parameters: parseParameterCount(model.parameters),
			loaded: state === undefined ? undefined : state === 'loaded' || state === 'sleeping',
			state,
		}),
	};
}
