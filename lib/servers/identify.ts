import { isRecord } from '../values';
import type { HealthServerKind, Observations, Probe } from '../health/observations';

type Probes = Observations['probes'];

/** Who answers, from what the answers look like: contract llama-server 8.1, Dify's headers: contract dify 1.1. */
export function identify(probes: Probes): { kind: HealthServerKind; version: string | null } {
	const seen = Object.values(probes).filter((probe) => probe.answered);
	const props = bodyOf(probes.props);
	const models = modelEntries(probes.models);
	const owners = new Set(models.map(({ owned_by: owner }) => owner));

	// Every answer of llama-server carries this header, errors included; behind a proxy it may be rewritten.
	const isLlama =
		seen.some(({ headers }) => /llama\.cpp/i.test(headers.server ?? '')) ||
		owners.has('llamacpp') ||
		'build_info' in props;
	if (isLlama || saysInvalidKeyLikeLlama(probes.models)) {
		const isRouter = props.role === 'router' || models.some(({ status }) => isRecord(status));
		return { kind: isRouter ? 'llamaRouter' : 'llamaServer', version: text(props.build_info) };
	}
	const ollamaVersion = text(bodyOf(probes.ollamaVersion).version);
	// Open WebUI names its own version there and answers the rest with a page; KoboldCpp plays Ollama.
	const playsOllama =
		owners.has('koboldcpp') || (probes.models?.answered === true && probes.models.failure?.kind === 'notAnApi');
	if ((ollamaVersion !== null && !playsOllama) || owners.has('library'))
		return { kind: 'ollama', version: ollamaVersion };
	const version = bodyOf(probes.version);
	if (
		'git_commit' in version ||
		owners.has('gpustack') ||
		hasBody(probes.models, ({ code, reason }) => code === 401 && reason === 'Unauthorized')
	) {
		return { kind: 'gpustack', version: text(version.version) };
	}
	if (
		owners.has('vllm') ||
		hasBody(probes.models, ({ error }) => error === 'Unauthorized') ||
		(text(version.version) !== null && isEmptyOk(probes.health))
	) {
		return { kind: 'vllm', version: text(version.version) };
	}
	const dify = seen.find(({ headers }) => headers['x-version'] !== undefined && headers['x-env'] !== undefined);
	if (dify !== undefined) return { kind: 'dify', version: text(dify.headers['x-version']) };
	if (listOf(probes.models) !== undefined || hasBody(probes.models, ({ detail }) => detail !== undefined))
		return { kind: 'openAiCompatible', version: text(version.version) };
	return { kind: 'unknown', version: null };
}

/** The entries of `/v1/models`; undefined where the answer is no list. Ollama writes null for an empty one. */
export function listOf(probe: Probe | undefined): Array<Record<string, unknown>> | undefined {
	const body = bodyOf(probe);
	if (probe?.answered !== true || probe.status >= 300 || !('data' in body)) return undefined;
	return Array.isArray(body.data) ? (body.data as unknown[]).filter(isRecord) : [];
}

export function modelEntries(probe: Probe | undefined): Array<Record<string, unknown>> {
	return listOf(probe) ?? [];
}

/**
 * LiteLLM, by the date that it gives all models (litellm/constants.py). Its `/health` sends a real request to every model behind it
 * (docs.litellm.ai, Health Checks).
 */
export function isLiteLlm(probe: Probe | undefined): boolean {
	const isMarked = probe?.answered === true && Object.keys(probe.headers).some((name) => name.startsWith('x-litellm-'));
	return (
		isMarked ||
		modelEntries(probe).some(({ created, owned_by: owner }) => created === 1_677_610_602 && owner === 'openai')
	);
}

/** The JSON object of an answer below 300; empty where there is none. */
export function bodyOf(probe: Probe | undefined): Record<string, unknown> {
	return probe?.answered === true && probe.status < 300 && isRecord(probe.json) ? probe.json : {};
}

function hasBody(probe: Probe | undefined, fits: (body: Record<string, unknown>) => boolean): boolean {
	return probe?.answered === true && isRecord(probe.json) && fits(probe.json);
}

function saysInvalidKeyLikeLlama(probe: Probe | undefined): boolean {
	return hasBody(
		probe,
		({ error }) => isRecord(error) && error.message === 'Invalid API Key' && error.type === 'authentication_error',
	);
}

function isEmptyOk(probe: Probe | undefined): boolean {
	return probe?.answered === true && probe.status === 200 && probe.text.trim() === '';
}

function text(value: unknown): string | null {
	return typeof value === 'string' && value !== '' ? value : null;
}
