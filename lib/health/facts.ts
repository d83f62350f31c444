import { isRecord } from '../values';
import { bodyOf, identify, modelEntries } from '../servers/identify';
import type { HealthServerKind, ModelFacts, ModelProbes, Observations, Probe, ServerReport } from './observations';

/** What the answers tell of the server, whatever shape its kind gives them. Pure. */
export function describeServer(observations: Observations): ServerReport {
	const { probes, perModel } = observations;
	const server = identify(probes);
	const props = bodyOf(probes.props);
	const single = server.kind === 'llamaServer';
	const children = Object.values(perModel).map((child) => ({
		props: bodyOf(child.props),
		metrics: metricsOf(child.metrics),
	}));
	const metrics = metricsOf(probes.metrics);
	const isRouter = server.kind === 'llamaRouter';
	const slotList = slotsOf(probes);
	const contexts = children.map(({ props: child }) => contextOf(child)).filter((context) => context !== null);
	return {
		server,
		latencyMs: latencyOf(probes),
		models: modelsOf(observations, server.kind),
		slots: {
			total: isRouter
				? sum(children.map(({ props: child }) => positive(child.total_slots)))
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
		contextPerSlot: isRouter ? (contexts.length === 0 ? null : Math.min(...contexts)) : contextOf(props),
		sleeping: typeof props.is_sleeping === 'boolean' ? props.is_sleeping : null,
		template: templateOf(single ? props : children.length === 1 ? children[0]!.props : {}),
		features: {
			metrics: single ? isOn(probes.metrics) : null,
			slots: typeof props.endpoint_slots === 'boolean' ? props.endpoint_slots : null,
			embeddings: isOn(probes.embeddings),
			rerank: server.kind === 'ollama' ? false : isOn(probes.rerank),
		},
		...(observations.service === 'dify' ? { app: appOf(probes) } : {}),
	};
}

function appOf(probes: Observations['probes']): NonNullable<ServerReport['app']> {
	const info = bodyOf(probes.difyInfo);
	return { name: word(info.name), mode: word(info.mode) };
}

/** The time of the fastest answer: that of the network and of a server that had nothing to look up. */
function latencyOf(probes: Observations['probes']): number | null {
	const times = Object.values(probes).flatMap((probe) => (probe.answered ? [probe.ms] : []));
	return times.length === 0 ? null : Math.min(...times);
}

/** llama-server answers 501 where a function is off; 400 means that only our empty question was wrong. */
function isOn(probe: Probe | undefined): boolean | null {
	if (probe?.answered !== true) return null;
	if (probe.status === 501) return false;
	return probe.status === 200 || probe.status === 400 || probe.status === 500 ? true : null;
}

function contextOf(props: Record<string, unknown>): number | null {
	return isRecord(props.default_generation_settings) ? positive(props.default_generation_settings.n_ctx) : null;
}

/** `supports_parallel_tool_calls` → `parallelToolCalls` */
function templateOf(props: Record<string, unknown>): Record<string, boolean> | null {
	if (!isRecord(props.chat_template_caps)) return null;
	const caps = Object.entries(props.chat_template_caps).flatMap(([name, value]) => {
		const short = name.replace(/^supports_/, '').replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
		return typeof value === 'boolean' ? [[short, value] as const] : [];
	});
	return Object.fromEntries(caps);
}

function modelsOf(observations: Observations, kind: HealthServerKind): ModelFacts[] {
	const { probes, perModel } = observations;
	const tags = new Map(named(bodyOf(probes.ollamaTags).models));
	const running = new Map(named(bodyOf(probes.ollamaRunning).models));
	const knowsRunning = Array.isArray(bodyOf(probes.ollamaRunning).models);
	return modelEntries(probes.models).flatMap((entry) => {
		if (typeof entry.id !== 'string') return [];
		const { id } = entry;
		if (kind === 'ollama')
			return [ollamaModel(id, tags.get(id) ?? {}, knowsRunning ? (running.get(id) ?? null) : undefined, perModel[id])];
		const props = kind === 'llamaServer' ? bodyOf(probes.props) : bodyOf(perModel[id]?.props);
		return [openAiModel(id, entry, props, isOn(probes.embeddings))];
	});
}

function openAiModel(
	id: string,
	entry: Record<string, unknown>,
	props: Record<string, unknown>,
	embeddings: boolean | null,
): ModelFacts {
	const meta = isRecord(entry.meta) ? entry.meta : {};
	const status = isRecord(entry.status) ? entry.status : undefined;
	const inputs =
		isRecord(entry.architecture) && Array.isArray(entry.architecture.input_modalities)
			? (entry.architecture.input_modalities as unknown[])
			: undefined;
	const modalities = isRecord(props.modalities) ? props.modalities : {};
	const caps = isRecord(props.chat_template_caps) ? props.chat_template_caps : {};
	const state =
		status === undefined
			? alwaysLoaded(entry)
				? props.is_sleeping === true
					? 'sleeping'
					: 'loaded'
				: null
			: stateOf(status);
	const args = status === undefined ? undefined : argumentsOf(status);
	return {
		id,
		aliases: texts(entry.aliases).filter((alias) => alias !== id),
		context: contextOf(props) ?? positive(meta.n_ctx) ?? positive(entry.max_model_len),
		trainedContext: positive(meta.n_ctx_train),
		parameters: positive(meta.n_params),
		size: positive(meta.size),
		quantization: word(meta.ftype),
		vision: flag(modalities.vision) ?? inputs?.includes('image') ?? null,
		audio: flag(modalities.audio) ?? inputs?.includes('audio') ?? null,
		tools: flag(caps.supports_tools),
		embeddings: args === undefined ? embeddings : args.some((arg) => /^--(?:embeddings?|rerank(?:ing)?)$/.test(arg)),
		loaded: state === null ? null : state === 'loaded' || state === 'sleeping',
		state,
	};
}

function ollamaModel(
	id: string,
	tag: Record<string, unknown>,
	running: Record<string, unknown> | null | undefined,
	asked: ModelProbes | undefined,
): ModelFacts {
	const shown = bodyOf(asked?.show);
	const details = isRecord(tag.details) ? tag.details : isRecord(shown.details) ? shown.details : {};
	const capabilities = Array.isArray(shown.capabilities) ? texts(shown.capabilities) : undefined;
	const info = isRecord(shown.model_info) ? shown.model_info : {};
	const trained = Object.entries(info).find(([name]) => name.endsWith('.context_length'))?.[1];
	return {
		id,
		aliases: [],
		context: positive(running?.context_length),
		trainedContext: positive(trained),
		parameters: positive(info['general.parameter_count']) ?? countOf(details.parameter_size),
		size: positive(tag.size),
		quantization: word(details.quantization_level),
		vision: capabilities?.includes('vision') ?? null,
		audio: capabilities?.includes('audio') ?? null,
		tools: capabilities?.includes('tools') ?? null,
		embeddings: capabilities?.includes('embedding') ?? null,
		loaded: running === undefined ? null : running !== null,
		state: running === undefined ? null : running === null ? 'unloaded' : 'loaded',
	};
}

/** llama-server and vLLM have the models that they list; GPUStack lists only those with an instance that runs (contract llama-server 8.3). */
function alwaysLoaded({ owned_by: owner }: Record<string, unknown>): boolean {
	return owner === 'llamacpp' || owner === 'vllm' || owner === 'gpustack';
}

function stateOf(status: Record<string, unknown>): string | null {
	return status.failed === true ? 'failed' : word(status.value);
}

/** The command line of a router's model. */
export function argumentsOf(status: Record<string, unknown>): string[] {
	return texts(status.args);
}

/**
 * How far the running requests have come; undefined where none runs, or nothing tells. llama-server answers `/metrics` and `/slots` while it
 * computes (server-context.cpp, yield_to_queue), so only counters that stand still show that it hangs.
 */
export function progressOf({ probes }: Pick<Observations, 'probes'>): string | undefined {
	const metrics = metricsOf(probes.metrics);
	const decodes = metrics?.['llamacpp:n_decode_total'];
	if (decodes !== undefined && (metrics?.['llamacpp:requests_processing'] ?? 0) > 0) return `${decodes} decodes`;
	const slots = slotsOf(probes)?.filter(({ is_processing: busy }) => busy === true) ?? [];
	if (slots.length === 0) return undefined;
	return JSON.stringify(
		slots.map(({ id, id_task: task, n_prompt_tokens_processed: read, next_token: next }) => [id, task, read, next]),
	);
}

function slotsOf({ slots }: Observations['probes']): Array<Record<string, unknown>> | undefined {
	return slots?.answered === true && Array.isArray(slots.json) ? (slots.json as unknown[]).filter(isRecord) : undefined;
}

/** How much of a running Ollama model lies in the GPU's memory, from 0 to 1. */
export function gpuShares(observations: Observations): Array<{ id: string; share: number }> {
	return named(bodyOf(observations.probes.ollamaRunning).models).flatMap(([id, { size, size_vram: inGpu }]) =>
		typeof size === 'number' && size > 0 && typeof inGpu === 'number' ? [{ id, share: inGpu / size }] : [],
	);
}

/** Prometheus text: the last value of each name, labels summed up. */
function metricsOf(probe: Probe | undefined): Record<string, number> | undefined {
	if (probe?.answered !== true || probe.status !== 200) return undefined;
	const values: Record<string, number> = {};
	for (const [, name = '', value = ''] of probe.text.matchAll(/^([a-z_:][a-z0-9_:]*)(?:\{[^}]*\})? ([0-9.eE+-]+)/gim)) {
		const number = Number(value);
		if (Number.isFinite(number)) values[name] = (values[name] ?? 0) + number;
	}
	return values;
}

function named(value: unknown): Array<[string, Record<string, unknown>]> {
	const entries = Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
	return entries.flatMap((entry) =>
		typeof entry.name === 'string' ? [[entry.name, entry] as [string, Record<string, unknown>]] : [],
	);
}

function sum(values: Array<number | null>): number | null {
	const known = values.filter((value) => value !== null);
	return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

/** "8.0B" → 8e9, "134.52M" → 134520000 */
function countOf(value: unknown): number | null {
	const [, digits, unit = ''] = typeof value === 'string' ? (/^([0-9.]+)\s*([KMBT]?)/i.exec(value) ?? []) : [];
	const factor = { '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 }[unit.toLowerCase()];
	return digits === undefined || factor === undefined ? null : Math.round(Number(digits) * factor);
}

function texts(value: unknown): string[] {
	return Array.isArray(value) ? (value as unknown[]).filter((entry) => typeof entry === 'string') : [];
}

function positive(value: unknown): number | null {
	return typeof value === 'number' && value > 0 ? value : null;
}

function word(value: unknown): string | null {
	return typeof value === 'string' && value !== '' ? value : null;
}

function flag(value: unknown): boolean | null {
	return typeof value === 'boolean' ? value : null;
}
