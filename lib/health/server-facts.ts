import { isRecord, nonEmptyText, optional, smallestOf } from '../values';
import { least, sum } from './numbers';
import {
	countOfParameters,
	ollamaEntries,
	readOllamaModel,
	readProps,
	type ServerModel,
} from '../servers/models';
import { isBusySlot } from '../servers/kinds/llama-api/slots';
import { metricsOf as readMetrics } from '../servers/metrics';
import { isModelNamed } from '../servers/model-names';
import { bodyOf, jsonOf, modelsOfServer, serverOf, kindOfServer } from './answers';
import type {
	HealthServerKind,
	ModelFacts,
	ModelProbes,
	Observations,
	Probe,
	ServerFacts,
} from './observations';

/** What a server of any kind tells about itself. Pure. */
export function describeServer(observations: Observations): ServerFacts {
	const { probes } = observations;
	const server = serverOf(probes);
	const models = modelsOf(observations, server.kind);
	const props = bodyOf(probes.props);
	const processes = processesOf(observations, models, server.kind);
	return {
		server,
		latencyMs: latencyOf(probes),
		models,
		...roomOf(processes.map(processFacts)),
		sleeping: booleanOrNull(props.is_sleeping),
		template: templateOf(processes, server.kind),
		features: featuresOf(observations, server.kind),
		...optional({ app: appOf(observations) }),
	};
}

/** The answers of one process that runs a model. */
interface Process {
	props: Record<string, unknown>;
	metrics: Record<string, number> | undefined;
	slots: Array<Record<string, unknown>> | undefined;
}

/** A router has a process for each model, every other server is one itself. */
function processesOf(
	observations: Observations,
	models: readonly ModelFacts[],
	kindName: HealthServerKind,
): Process[] {
	const { probes } = observations;
	if (kindOfServer(kindName).health.reports === 'process')
		return relevantProcesses(observations, models).map(({ props, metrics }) => ({
			props: bodyOf(props),
			metrics: metricsOf(metrics),
			slots: undefined,
		}));
	return [
		{
			props: bodyOf(probes.props),
			metrics: metricsOf(probes.metrics),
			slots: slotsOf(probes),
		},
	];
}

/**
 * Probes of a router's model processes, each with its own slots and context: of the expected model, or of all loaded
 * for chats; embedding and reranker models have short contexts by nature.
 */
function relevantProcesses(
	{ perModel, expectations }: Observations,
	models: readonly ModelFacts[],
): ModelProbes[] {
	const all = Object.entries(perModel);
	const expected = models.find((model) => isModelNamed(model, expectations.model));
	if (expected !== undefined) return all.flatMap(([id, one]) => (id === expected.id ? [one] : []));
	const isForChats = (id: string) => models.find((model) => model.id === id)?.embeddings !== true;
	const forChats = all.filter(([id]) => isForChats(id));
	return (forChats.length > 0 ? forChats : all).map(([, one]) => one);
}

/** Room for requests in one process; null = not known. */
interface ProcessFacts {
	total: number | null;
	busy: number | null;
	queue: number | null;
	context: number | null;
}

const RUNNING = ['llamacpp:requests_processing', 'vllm:num_requests_running'];
const WAITING = ['llamacpp:requests_deferred', 'vllm:num_requests_waiting'];

function processFacts({ props, metrics, slots }: Process): ProcessFacts {
	return {
		total: positive(props.total_slots) ?? slots?.length ?? null,
		busy: slots?.filter(isBusySlot).length ?? metricNamed(RUNNING, metrics),
		queue: metricNamed(WAITING, metrics),
		context: readProps(props).context ?? null,
	};
}

function metricNamed(names: readonly string[], metrics: Process['metrics'] = {}): number | null {
	return names.map((name) => metrics[name]).find((value) => value !== undefined) ?? null;
}

/** The room in all processes together. Slots and context are those of each: the same number, or the least. */
function roomOf(
	processes: readonly ProcessFacts[],
): Pick<ServerFacts, 'slots' | 'queue' | 'contextPerSlot'> {
	return {
		slots: {
			total: same(processes.map(({ total }) => total)),
			busy: sum(processes.map(({ busy }) => busy)),
		},
		queue: sum(processes.map(({ queue }) => queue)),
		contextPerSlot: least(processes.map(({ context }) => context)),
	};
}

/** The common value; null where they differ. */
function same(values: Array<number | null>): number | null {
	const [first = null] = values;
	return values.every((value) => value === first) ? first : null;
}

function featuresOf({ probes }: Observations, kindName: HealthServerKind): ServerFacts['features'] {
	const { health, rerank } = kindOfServer(kindName);
	return {
		metrics: health.reports === 'server' ? isOn(probes.metrics) : null,
		slots: booleanOrNull(bodyOf(probes.props).endpoint_slots),
		embeddings: isOn(probes.embeddings),
		rerank: rerank.isMissing === true ? false : isOn(probes.rerank),
	};
}

function appOf({ service, keyType, probes }: Observations): ServerFacts['app'] {
	if (service !== 'dify' || keyType === 'knowledge') return undefined;
	const info = bodyOf(probes.difyInfo);
	return { name: nonEmptyText(info.name) ?? null, mode: nonEmptyText(info.mode) ?? null };
}

/** Milliseconds of the fastest answer: almost only network time. */
function latencyOf(probes: Observations['probes']): number | null {
	const times = Object.values(probes).flatMap((probe) => (probe.answered ? [probe.ms] : []));
	return times.length === 0 ? null : smallestOf(times);
}

/** Statuses of a route that is there. 400 means that only our empty request was wrong. */
const ON = [200, 400, 500];

/** llama-server answers 501 where a function is off. */
function isOn(probe: Probe | undefined): boolean | null {
	if (probe?.answered !== true) return null;
	if (probe.status === 501) return false;
	return ON.includes(probe.status) ? true : null;
}

/** Abilities of the chat template of the one model that runs: `supports_parallel_tool_calls` → `parallelToolCalls` */
function templateOf(
	processes: readonly Process[],
	kindName: HealthServerKind,
): Record<string, boolean> | null {
	const caps = processes[0]?.props.chat_template_caps;
	const { reports } = kindOfServer(kindName).health;
	const hasProps = reports === 'server' || reports === 'process';
	if (!hasProps || processes.length !== 1 || !isRecord(caps)) return null;
	const abilities = Object.entries(caps).flatMap(([name, value]) =>
		typeof value === 'boolean'
			? [[camelCased(name.replace(/^supports_/, '')), value] as const]
			: [],
	);
	return Object.fromEntries(abilities);
}

function camelCased(name: string): string {
	return name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

function modelsOf(observations: Observations, kindName: HealthServerKind): ModelFacts[] {
	const describe =
		kindOfServer(kindName).health.reports === 'models'
			? ollamaModel(observations)
			: ordinaryModel(observations, kindName);
	return modelsOfServer(observations.probes).map((model) => factsOf(describe(model)));
}

/** Ollama tells about a model in three answers. */
function ollamaModel({ probes, perModel }: Observations): (model: ServerModel) => ServerModel {
	const tags = ollamaEntries(bodyOf(probes.ollamaTags));
	const running = ollamaEntries(bodyOf(probes.ollamaRunning));
	return ({ id }) =>
		readOllamaModel(id, {
			tag: tags?.get(id),
			running: running && (running.get(id) ?? null),
			shown: bodyOf(perModel[id]?.show),
		});
}

function ordinaryModel(
	{ probes, perModel }: Observations,
	kindName: HealthServerKind,
): (model: ServerModel) => ServerModel {
	const { health, models: abilities } = kindOfServer(kindName);
	const usualState = abilities.areAllLoaded === true ? 'loaded' : undefined;
	const running = jsonOf(probes.running);
	const stateOf = ({ id, state }: ServerModel) =>
		state ?? (running === undefined ? usualState : abilities.running?.stateOf(id, running));
	const makesEmbeddings = isOn(probes.embeddings) ?? undefined;
	return (model) => ({
		...model,
		...optional({
			embeddings: model.embeddings ?? makesEmbeddings,
			state: stateOf(model),
		}),
		...readProps(bodyOf(health.reports === 'server' ? probes.props : perModel[model.id]?.props)),
	});
}

/** Facts of a model of which nothing is known, in the order of the item. */
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

function factsOf(model: ServerModel): ModelFacts {
	const { id, aliases, state } = model;
	const known = Object.entries(model).filter(
		([name, value]) => name in UNKNOWN_MODEL && value !== undefined,
	);
	return {
		id,
		aliases,
		...UNKNOWN_MODEL,
		...Object.fromEntries(known),
		parameters: countOfParameters(model.parameters) ?? null,
		loaded: state === undefined ? null : state === 'loaded' || state === 'sleeping',
	};
}

/**
 * Progress of the running requests, as text to compare; undefined where none runs, or nothing tells. llama-server
 * answers `/metrics` and `/slots` while it computes (server-context.cpp, yield_to_queue), so only counters that stand
 * still show that it hangs.
 */
export function progressOf({ probes }: Pick<Observations, 'probes'>): string | undefined {
	const { 'llamacpp:n_decode_total': decodes, 'llamacpp:requests_processing': running = 0 } =
		metricsOf(probes.metrics) ?? {};
	if (decodes !== undefined && running > 0) return `${decodes} decodes`;
	const busy = slotsOf(probes)?.filter(isBusySlot) ?? [];
	return busy.length === 0 ? undefined : JSON.stringify(busy.map(progressOfSlot));
}

function progressOfSlot(slot: Record<string, unknown>): unknown[] {
	return [slot.id, slot.id_task, slot.n_prompt_tokens_processed, slot.next_token];
}

function slotsOf({ slots }: Observations['probes']): Array<Record<string, unknown>> | undefined {
	return slots?.answered === true && Array.isArray(slots.json)
		? (slots.json as unknown[]).filter(isRecord)
		: undefined;
}

/** Share of each running Ollama model in the GPU's memory, from 0 to 1. */
export function gpuShares(observations: Observations): Array<{ id: string; share: number }> {
	const running =
		ollamaEntries(bodyOf(observations.probes.ollamaRunning)) ??
		new Map<string, Record<string, unknown>>();
	return [...running].flatMap(([id, { size, size_vram: inGpu }]) =>
		typeof size === 'number' && size > 0 && typeof inGpu === 'number'
			? [{ id, share: inGpu / size }]
			: [],
	);
}

function metricsOf(probe: Probe | undefined): Record<string, number> | undefined {
	return probe?.answered === true && probe.status === 200 ? readMetrics(probe.text) : undefined;
}

function positive(value: unknown): number | null {
	return typeof value === 'number' && value > 0 ? value : null;
}

function booleanOrNull(value: unknown): boolean | null {
	return typeof value === 'boolean' ? value : null;
}
