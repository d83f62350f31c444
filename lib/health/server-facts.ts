import { isRecord, optional, nonEmptyText } from '../values';
import { sum } from './numbers';
import {
	countOfParameters,
	ollamaEntries,
	readOllamaModel,
	readProps,
	type ServerModel,
} from '../servers/models';
import { metricsOf as readMetrics } from '../servers/metrics';
import { isModelNamed } from '../servers/model-names';
import { bodyOf, modelsOfServer, serverOf, kindOfServer } from './answers';
import type {
	HealthServerKind,
	ModelFacts,
	Observations,
	Probe,
	ServerReport,
} from './observations';

/** Builds the report of a server of any kind from its answers. Pure. */
export function describeServer(observations: Observations): ServerReport {
	const { probes } = observations;
	const server = serverOf(probes);
	const traits = kindOfServer(server.kind);
	const props = bodyOf(probes.props);
	const single = traits.llamaApi === 'oneModel';
	const isRouter = traits.llamaApi === 'router';
	const models = modelsOf(observations, server.kind);
	const children = relevantProcesses(observations, models);
	const metrics = metricsOf(probes.metrics);
	const slotList = slotsOf(probes);
	const contexts = children
		.map(({ props: child }) => contextOf(child))
		.filter((context) => context !== null);
	return {
		server,
		latencyMs: latencyOf(probes),
		models,
		slots: {
			total: isRouter
				? same(children.map(({ props: child }) => positive(child.total_slots)))
				: (positive(props.total_slots) ?? slotList?.length ?? null),
			busy: isRouter
				? sum(children.map(({ metrics: child }) => child?.['llamacpp:requests_processing'] ?? null))
				: (slotList?.filter(({ is_processing: busy }) => busy === true).length ??
					metrics?.['llamacpp:requests_processing'] ??
					metrics?.['vllm:num_requests_running'] ??
					null),
		},
		queue: isRouter
			? sum(children.map(({ metrics: child }) => child?.['llamacpp:requests_deferred'] ?? null))
			: (metrics?.['llamacpp:requests_deferred'] ?? metrics?.['vllm:num_requests_waiting'] ?? null),
		contextPerSlot: isRouter
			? contexts.length === 0
				? null
				: Math.min(...contexts)
			: contextOf(props),
		sleeping: typeof props.is_sleeping === 'boolean' ? props.is_sleeping : null,
		template: templateOf(single ? props : children.length === 1 ? children[0]!.props : {}),
		features: {
			metrics: single ? isOn(probes.metrics) : null,
			slots: typeof props.endpoint_slots === 'boolean' ? props.endpoint_slots : null,
			embeddings: isOn(probes.embeddings),
			rerank: traits.reranks ?? isOn(probes.rerank),
		},
		...(observations.service === 'dify' && observations.keyType !== 'knowledge'
			? { app: appOf(probes) }
			: {}),
	};
}

/**
 * Probes of a router's model processes, each with its own slots and context: of the wanted model, or of all loaded for
 * chats; embedding and reranker models have short contexts by nature.
 */
function relevantProcesses(
	{ perModel, expectations }: Observations,
	models: readonly ModelFacts[],
) {
	const wanted = models.find((model) => isModelNamed(model, expectations.model));
	const isForChats = (id: string) => models.find((model) => model.id === id)?.embeddings !== true;
	const some = Object.entries(perModel).filter(([id]) =>
		wanted === undefined ? isForChats(id) : id === wanted.id,
	);
	return (some.length > 0 || wanted !== undefined ? some : Object.entries(perModel)).map(
		([, { props, metrics }]) => ({
			props: bodyOf(props),
			metrics: metricsOf(metrics),
		}),
	);
}

/** The common value; null where they differ. */
function same(values: Array<number | null>): number | null {
	const [first = null] = values;
	return values.every((value) => value === first) ? first : null;
}

function appOf(probes: Observations['probes']): NonNullable<ServerReport['app']> {
	const info = bodyOf(probes.difyInfo);
	return { name: nonEmptyText(info.name) ?? null, mode: nonEmptyText(info.mode) ?? null };
}

/** Milliseconds of the fastest answer: almost only network time. */
function latencyOf(probes: Observations['probes']): number | null {
	const times = Object.values(probes).flatMap((probe) => (probe.answered ? [probe.ms] : []));
	return times.length === 0 ? null : Math.min(...times);
}

/** llama-server answers 501 where a function is off; 400 means that only our empty request was wrong. */
function isOn(probe: Probe | undefined): boolean | null {
	if (probe?.answered !== true) return null;
	if (probe.status === 501) return false;
	return probe.status === 200 || probe.status === 400 || probe.status === 500 ? true : null;
}

function contextOf(props: Record<string, unknown>): number | null {
	return readProps(props).context ?? null;
}

/** `supports_parallel_tool_calls` → `parallelToolCalls` */
function templateOf(props: Record<string, unknown>): Record<string, boolean> | null {
	if (!isRecord(props.chat_template_caps)) return null;
	const caps = Object.entries(props.chat_template_caps).flatMap(([name, value]) => {
		const short = name
			.replace(/^supports_/, '')
			.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
		return typeof value === 'boolean' ? [[short, value] as const] : [];
	});
	return Object.fromEntries(caps);
}

function modelsOf(observations: Observations, kind: HealthServerKind): ModelFacts[] {
	const { probes, perModel } = observations;
	const { hasOllamaApi, llamaApi, listsLoadedModelsOnly } = kindOfServer(kind);
	const tags = ollamaEntries(bodyOf(probes.ollamaTags));
	const running = ollamaEntries(bodyOf(probes.ollamaRunning));
	const embeddings = isOn(probes.embeddings);
	return modelsOfServer(probes).map((model) => {
		const { id } = model;
		if (hasOllamaApi === true) {
			const shown = bodyOf(perModel[id]?.show);
			return factsOf(
				readOllamaModel(id, {
					tag: tags?.get(id),
					running: running && (running.get(id) ?? null),
					shown,
				}),
			);
		}
		const props = readProps(
			llamaApi === 'oneModel' ? bodyOf(probes.props) : bodyOf(perModel[id]?.props),
		);
		const state = model.state ?? (listsLoadedModelsOnly ? 'loaded' : undefined);
		return factsOf({
			...model,
			...(model.embeddings === undefined && embeddings !== null ? { embeddings } : {}),
			...optional({ state }),
			...props,
		});
	});
}

function factsOf(model: ServerModel): ModelFacts {
	const { state = null } = model;
	return {
		id: model.id,
		aliases: model.aliases,
		context: model.context ?? null,
		trainedContext: model.trainedContext ?? null,
		parameters: countOfParameters(model.parameters) ?? null,
		size: model.size ?? null,
		quantization: model.quantization ?? null,
		vision: model.vision ?? null,
		audio: model.audio ?? null,
		tools: model.tools ?? null,
		embeddings: model.embeddings ?? null,
		remoteHost: model.remoteHost ?? null,
		loaded: state === null ? null : state === 'loaded' || state === 'sleeping',
		state,
	};
}

/**
 * Progress of the running requests, as text to compare; undefined where none runs, or nothing tells. llama-server
 * answers `/metrics` and `/slots` while it computes (server-context.cpp, yield_to_queue), so only counters that stand
 * still show that it hangs.
 */
export function progressOf({ probes }: Pick<Observations, 'probes'>): string | undefined {
	const metrics = metricsOf(probes.metrics);
	const decodes = metrics?.['llamacpp:n_decode_total'];
	if (decodes !== undefined && (metrics?.['llamacpp:requests_processing'] ?? 0) > 0)
		return `${decodes} decodes`;
	const slots = slotsOf(probes)?.filter(({ is_processing: busy }) => busy === true) ?? [];
	if (slots.length === 0) return undefined;
	return JSON.stringify(
		slots.map(({ id, id_task: task, n_prompt_tokens_processed: read, next_token: next }) => [
			id,
			task,
			read,
			next,
		]),
	);
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
